import Big from 'big.js';
import type { MarketCalendar } from './openMarketCalendar.ts';
import type { PricePoint, PriceSeries } from './PriceSeries.ts';

/** The analysis of the prices of one company. */
export interface Analysis {
  count: number;
  first: PricePoint;
  last: PricePoint;
  highest: PricePoint;
  /** The exact sum of all prices. */
  sum: Big;
  /** The change from the first to the last price: 0.5 is +50 %. */
  change: number;
  /** The standard deviation of the returns, for a year of 252 trading days; null with fewer than three prices. */
  volatility: number | null;
  /** The years with prices. */
  years: Set<number>;
}

const tradingDaysPerYear = 252;

/**
 * Analyses a series.
 *
 * @throws Error when the series is empty.
 */
export function analyse({ symbol, points }: PriceSeries, calendar: MarketCalendar): Analysis {
  const [first, last] = [points.at(0), points.at(-1)];
  if (!first || !last) throw new Error(`${symbol} has no prices`);
  return {
    count: points.length,
    first,
    last,
    highest: points.reduce((highest, point) => (point.price.gt(highest.price) ? point : highest)),
    sum: points.reduce((sum, { price }) => sum.plus(price), new Big(0)),
    change: Number(last.price) / Number(first.price) - 1,
    volatility: volatility(points, calendar.tradingDays(first.date, last.date)),
    years: new Set(points.map(({ date }) => date.getUTCFullYear())),
  };
}

/** The calendar tells how many returns there are in a year, whether prices are daily, weekly or monthly. */
function volatility(points: PricePoint[], tradingDays: number): number | null {
  const prices = points.map(({ price }) => Number(price));
  const returns = prices.slice(1).map((price, i) => Math.log(price / (prices[i] ?? price)));
  if (returns.length < 2 || tradingDays === 0) return null;
  const mean = sumOf(returns) / returns.length;
  const variance = sumOf(returns.map((value) => (value - mean) ** 2)) / (returns.length - 1);
  return Math.sqrt((variance * tradingDaysPerYear * returns.length) / tradingDays);
}

function sumOf(numbers: number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
