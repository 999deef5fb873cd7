import { Logger } from '@aws-lambda-powertools/logger';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type SentTask, sendTask } from 'algernon-middy';
import { type LocalAws, startLocalAws, startWorker, type Worker } from 'algernon-middy/local';
import Big from 'big.js';
import { marketAjson } from '../../../examples/market/marketAjson.ts';
import { openMarketCalendar } from '../../../examples/market/openMarketCalendar.ts';
import { openReportStore } from '../../../examples/market/openReportStore.ts';
import { PriceSeries } from '../../../examples/market/PriceSeries.ts';
import { createHandler } from '../../../examples/market/worker.ts';

const quotes = [
  { date: '2001-02-01', price: '0.2' },
  { date: 'Jan 3 2000', price: '0.1' },
];
const tasks = ['load', 'analyse', 'report'] as const;

let aws: LocalAws;
let worker: Worker<(typeof tasks)[number]>;
let calendars = 0;
beforeAll(async () => {
  aws = await startLocalAws();
  const openCalendar: typeof openMarketCalendar = () => {
    calendars += 1;
    return openMarketCalendar();
  };
  const logger = new Logger({ logLevel: 'SILENT' });
  worker = await startWorker({ aws, handler: createHandler({ ...aws, logger, openCalendar }), tasks });
});
afterAll(() => aws.stop());

const send = (chain: string): Promise<SentTask> =>
  sendTask(
    { task_name: 'load', task_kwargs: { chain, symbol: 'A/B', quotes }, callback: tasks.join('#') },
    { s3: aws.s3, sns: aws.sns, bucket: aws.bucket, topics: worker.topics, ajson: marketAjson },
  );

const objects = async (Prefix: string): Promise<string[]> => {
  const { Contents = [] } = await aws.s3.send(new ListObjectsV2Command({ Bucket: aws.bucket, Prefix }));
  return Contents.map(({ Key = '' }) => Key);
};

test('ten chains give twenty results and one report, with classes, dates, decimals and sets', async () => {
  await Promise.all(Array.from({ length: 10 }, (_, i) => send(`A/B #${i}`)));
  await worker.idle();

  expect(await objects('reports/')).toEqual(['reports/A%2FB.json']);
  const report = await openReportStore(aws).get('A/B');
  expect(report?.series).toBeInstanceOf(PriceSeries);
  expect(report?.series.points).toEqual([
    { date: new Date('2000-01-03'), price: new Big('0.1') },
    { date: new Date('2001-02-01'), price: new Big('0.2') },
  ]);
  expect(report?.analysis.sum).toEqual(new Big('0.3'));
  expect(report?.analysis.years).toEqual(new Set([2000, 2001]));

  const results = await objects('cache/');
  expect(results).toHaveLength(20);
  const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: aws.bucket, Key: results[0] }));
  const text = await Body?.transformToString();
  expect(text).toContain('"_alg_class":"PriceSeries","_alg_module":"market"');
  expect(text).toContain('{"_alg_class":"decimal","value":"0.1"}');
  expect(calendars).toBeGreaterThan(0);
  expect(calendars).toBeLessThanOrEqual(10);
});

test('an unknown company has no report', async () => {
  expect(await openReportStore(aws).get('nobody')).toBeUndefined();
});
