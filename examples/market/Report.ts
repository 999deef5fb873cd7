import type { Analysis } from './analyse.ts';
import type { PriceSeries } from './PriceSeries.ts';

/** The final report on a company: its prices and their analysis. */
export interface Report {
  series: PriceSeries;
  analysis: Analysis;
}
