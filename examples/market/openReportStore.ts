import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { marketAjson } from './marketAjson.ts';
import type { Report } from './Report.ts';

/** Keeps reports in S3, one object per company. Puts are idempotent, so the task may be repeated. */
export interface ReportStore {
  put(report: Report): Promise<void>;
  get(symbol: string): Promise<Report | undefined>;
}

export function openReportStore({ s3, bucket }: { s3: S3Client; bucket: string }): ReportStore {
  const addressOf = (symbol: string) => ({
    Bucket: bucket,
    Key: `reports/${encodeURIComponent(symbol)}.json`,
  });
  return {
    async put(report) {
      const Body = marketAjson.dumps(report);
      await s3.send(
        new PutObjectCommand({ ...addressOf(report.series.symbol), Body, ContentType: 'application/json' }),
      );
    },

    async get(symbol) {
      try {
        const { Body } = await s3.send(new GetObjectCommand(addressOf(symbol)));
        return marketAjson.loads<Report>((await Body?.transformToString()) ?? '');
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
  };
}
