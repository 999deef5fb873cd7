import { type Ajson, createAjson } from 'algernon-middy';
import Big from 'big.js';

/** What this example says on the wire: every decimal is a Big, so prices add up without an error. */
export const marketAjson: Ajson = createAjson({ decimal: Big });
