import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Analysis } from './analyse.ts';
import type { Portfolio } from './createPortfolio.ts';
import { marketAjson } from './marketAjson.ts';
import type { PriceSeries } from './PriceSeries.ts';

/** The report on a company: its prices and their analysis. */
export interface Report {
  series: PriceSeries;
  analysis: Analysis;
}

/** Keeps the reports and the portfolio in S3. Puts are idempotent, so the tasks may be repeated. */
export interface Store {
  putReport(report: Report): Promise<void>;
  getReport(symbol: string): Promise<Report | undefined>;
  putPortfolio(portfolio: Portfolio): Promise<void>;
  getPortfolio(): Promise<Portfolio | undefined>;
}

const reportKey = (symbol: string) => `reports/${encodeURIComponent(symbol)}.json`;
const portfolioKey = 'portfolio.json';

export function openStore({ s3, bucket: Bucket }: { s3: S3Client; bucket: string }): Store {
  const put = async (Key: string, value: object): Promise<void> => {
    const Body = marketAjson.dumps(value);
    await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'application/json' }));
  };
  const get = async <T>(Key: string): Promise<T | undefined> => {
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      return marketAjson.loads<T>((await Body?.transformToString()) ?? '');
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  };
  return {
    putReport: (report) => put(reportKey(report.series.symbol), report),
    getReport: (symbol) => get(reportKey(symbol)),
    putPortfolio: (portfolio) => put(portfolioKey, portfolio),
    getPortfolio: () => get(portfolioKey),
  };
}
