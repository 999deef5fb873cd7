import type { Logger } from '@aws-lambda-powertools/logger';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import middy, { type MiddlewareObj } from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import {
  type ContextOf,
  callbackPublisher,
  contextResources,
  lambdaLogged,
  queued,
  routeTasks,
  sqsSnsUnwrap,
  storedDataHydrate,
} from 'algernon-middy';
import type { LambdaHandler } from 'algernon-middy/local';
import { analyse } from './analyse.ts';
import { loadSeries } from './loadSeries.ts';
import { marketAjson } from './marketAjson.ts';
import { openMarketCalendar } from './openMarketCalendar.ts';
import { openReportStore } from './openReportStore.ts';
import type { PriceSeries } from './PriceSeries.ts';
import type { Report } from './Report.ts';
import type { Quote } from './readPrices.ts';

/** The arguments of a sender. */
export interface LoadArguments {
  /** Identifies the chain. Every task passes it on. */
  chain: string;
  symbol: string;
  quotes: Quote[];
}

/** The dependencies of the worker. On AWS, the defaults for the clients and the bucket suffice. */
export interface WorkerWorld {
  s3: S3Client;
  sns: SNSClient;
  bucket: string;
  logger: Logger;
  openCalendar?: typeof openMarketCalendar;
  /** Other middlewares, after ours. */
  use?: MiddlewareObj[];
}

/** The resources that the tasks of a batch share, made on first use. */
const resourcesOf = ({ s3, bucket, openCalendar = openMarketCalendar }: WorkerWorld) =>
  contextResources({ calendar: openCalendar, reports: () => openReportStore({ s3, bucket }) });

type MarketContext = ContextOf<ReturnType<typeof resourcesOf>>;

/** The chain: each task gets the result of the previous one. */
const worker = routeTasks({
  load: async ({ chain, symbol, quotes }: LoadArguments) => ({ chain, series: loadSeries(symbol, quotes) }),

  analyse: async ({ chain, series }: { chain: string; series: PriceSeries }, context: MarketContext) => {
    const analysis = analyse(series, await context.calendar);
    return { chain, series, analysis };
  },

  report: async ({ series, analysis }: Report, context: MarketContext) => {
    const reports = await context.reports;
    await reports.put({ series, analysis });
  },
});

/** The handler, as Lambda calls it. */
export function createHandler(world: WorkerWorld): LambdaHandler {
  const { s3, sns, bucket, logger, use = [] } = world;
  return (
    middy(queued(worker, { rebuild: marketAjson }))
      .use(lambdaLogged({ logger }))
      // By default it prints each failed message in full. lambdaLogged logs its id and its error.
      .use(sqsPartialBatchFailure({ logger: () => {} }))
      .use(sqsSnsUnwrap())
      .use(storedDataHydrate({ s3, bucket }))
      .use(resourcesOf(world))
      .use(callbackPublisher({ s3, sns, bucket, ajson: marketAjson }))
      .use(use)
  );
}
