import { type Ajson, createAjson } from 'algernon-middy';
import Big from 'big.js';

/** The registry of this example: decimals are read as Big, so that sums of prices are exact. */
export const marketAjson: Ajson = createAjson({ decimal: Big });
