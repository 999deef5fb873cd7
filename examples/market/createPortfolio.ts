import type { FailedBranch } from 'algernon-middy';
import Big from 'big.js';
import type { Analysis } from './analyse.ts';

/** The result of a company. */
export interface AnalysedCompany {
  symbol: string;
  analysis: Analysis;
}

/** The outcome of a company: its result with `failures: 'wait'`; with `collect` a value or an error. */
export type CompanyResult = AnalysedCompany | { value: AnalysedCompany } | FailedBranch;

/** All companies together, with the same amount of money in each of them. */
export interface Portfolio {
  companies: string[];
  /** The number of prices, and their exact sum. */
  count: number;
  sum: Big;
  /** The mean of the changes: 0.5 is +50 %; null without companies. */
  change: number | null;
  best: string | undefined;
  worst: string | undefined;
  /** The errors of the companies that failed for good. */
  problems: string[];
}

/** Joins the results of the companies. */
export function createPortfolio(results: CompanyResult[]): Portfolio {
  const companies: AnalysedCompany[] = [];
  const problems: string[] = [];
  for (const result of results) {
    if ('symbol' in result) companies.push(result);
    else if ('value' in result) companies.push(result.value);
    else problems.push(String(result.error.message));
  }
  const ranking = companies.toSorted((a, b) => b.analysis.change - a.analysis.change);
  const changes = companies.map(({ analysis }) => analysis.change);
  return {
    companies: companies.map(({ symbol }) => symbol),
    count: companies.reduce((count, { analysis }) => count + analysis.count, 0),
    sum: companies.reduce((sum, { analysis }) => sum.plus(analysis.sum), new Big(0)),
    change: changes.length > 0 ? changes.reduce((sum, change) => sum + change, 0) / changes.length : null,
    best: ranking.at(0)?.symbol,
    worst: ranking.at(-1)?.symbol,
    problems,
  };
}
