import { AlgObject } from 'algernon-middy';
import type Big from 'big.js';
import { marketAjson } from './marketAjson.ts';

/** The price of a share on one day. */
export interface PricePoint {
  date: Date;
  price: Big;
}

/** The prices of one company, oldest first. It keeps its class, dates and decimals from task to task. */
export class PriceSeries extends AlgObject {
  static {
    marketAjson.register(PriceSeries, { name: 'PriceSeries', module: 'market' });
  }

  readonly symbol: string;
  readonly points: PricePoint[];

  constructor(symbol: string, points: PricePoint[]) {
    super();
    this.symbol = symbol;
    this.points = points.toSorted((a, b) => a.date.getTime() - b.date.getTime());
  }

  static parseJson(fields: { symbol: string; points: PricePoint[] }): PriceSeries {
    return new PriceSeries(fields.symbol, fields.points);
  }
}
