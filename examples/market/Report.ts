import type { Analysis } from './analyse.ts';
import type { PriceSeries } from './PriceSeries.ts';

/** What there is of a company in the end: its prices, and what analysis made of them. */
export interface Report {
  series: PriceSeries;
  analysis: Analysis;
}
