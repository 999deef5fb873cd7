import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type LocalAws, startLocalAws, startWorker, type Worker } from 'algernon-middy/local';
import Big from 'big.js';
import { openMarketCalendar } from '../../../examples/market/openMarketCalendar.ts';
import { openStore } from '../../../examples/market/openStore.ts';
import { PriceSeries } from '../../../examples/market/PriceSeries.ts';
import { createHandler, type Market, sendMarket, taskNames } from '../../../examples/market/worker.ts';
import { silentLogger } from '../../support/silentLogger.ts';

const quotes = [
  { date: '2001-02-01', price: '0.2' },
  { date: 'Jan 3 2000', price: '0.1' },
];
const companies = [
  { symbol: 'A/B', quotes },
  { symbol: 'C', quotes },
];
const broken = { symbol: 'D', quotes: [{ date: '2000-01-03', price: 'oops' }] };

let aws: LocalAws;
let worker: Worker<(typeof taskNames)[number]>;
let calendars = 0;
beforeAll(async () => {
  aws = await startLocalAws();
  const openCalendar: typeof openMarketCalendar = () => {
    calendars += 1;
    return openMarketCalendar();
  };
  const handler = createHandler({ ...aws, logger: silentLogger(), openCalendar });
  worker = await startWorker({ aws, handler, tasks: taskNames, onInvocation: () => {} });
});
afterAll(() => aws.stop());

const send = (market: Market) =>
  sendMarket(market, { s3: aws.s3, sns: aws.sns, bucket: aws.bucket, topics: worker.topics });

const objects = async (Prefix: string): Promise<string[]> => {
  const { Contents = [] } = await aws.s3.send(new ListObjectsV2Command({ Bucket: aws.bucket, Prefix }));
  return Contents.map(({ Key = '' }) => Key);
};

test('five markets have ten companies and one portfolio, with classes, dates, decimals and sets', async () => {
  await Promise.all(Array.from({ length: 5 }, () => send({ companies, failures: 'wait' })));
  await worker.idle();

  expect(await objects('reports/')).toEqual(['reports/A%2FB.json', 'reports/C.json']);
  const report = await openStore(aws).getReport('A/B');
  expect(report?.series).toBeInstanceOf(PriceSeries);
  expect(report?.series.points).toEqual([
    { date: new Date('2000-01-03'), price: new Big('0.1') },
    { date: new Date('2001-02-01'), price: new Big('0.2') },
  ]);
  expect(report?.analysis.sum).toEqual(new Big('0.3'));
  expect(report?.analysis.years).toEqual(new Set([2000, 2001]));
  expect(await openStore(aws).getPortfolio()).toMatchObject({ companies: ['A/B', 'C'], sum: new Big('0.6') });

  const results = await objects('cache/');
  expect(results).toHaveLength(10);
  const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: aws.bucket, Key: results[0] }));
  const text = await Body?.transformToString();
  expect(text).toContain('"_alg_class":"PriceSeries","_alg_module":"market"');
  expect(text).toContain('{"_alg_class":"decimal","value":"0.1"}');
  expect(calendars).toBeGreaterThan(0);
  expect(calendars).toBeLessThanOrEqual(10);
});

test('a company that fails for good is an error in a portfolio that collects', async () => {
  await send({ companies: [...companies, broken], failures: 'collect' });
  await worker.idle();
  expect(await openStore(aws).getPortfolio()).toMatchObject({
    companies: ['A/B', 'C'],
    problems: ['D cost oops on 2000-01-03: that is not a price on a day'],
  });
  expect(await worker.deadLetters('load')).toHaveLength(1);
});

test('an unknown company has no report', async () => {
  expect(await openStore(aws).getReport('nobody')).toBeUndefined();
});
