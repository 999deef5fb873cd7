import Big from 'big.js';
import { analyse } from '../../../examples/market/analyse.ts';
import { openMarketCalendar } from '../../../examples/market/openMarketCalendar.ts';
import type { Report } from '../../../examples/market/openStore.ts';
import { PriceSeries } from '../../../examples/market/PriceSeries.ts';

/** A report on a company, of its prices by date. */
export async function makeReport(symbol: string, prices: Record<string, string>): Promise<Report> {
  const points = Object.entries(prices).map(([date, price]) => ({
    date: new Date(date),
    price: new Big(price),
  }));
  const series = new PriceSeries(symbol, points);
  return { series, analysis: analyse(series, await openMarketCalendar()) };
}
