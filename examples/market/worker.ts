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

/** What a sender asks for. */
export interface LoadArguments {
  /** Names this chain among all: handed on from task to task, so that each can be told where it belongs. */
  chain: string;
  symbol: string;
  quotes: Quote[];
}

/** What the worker stands on. On AWS, the clients and the bucket may be left to their defaults. */
export interface WorkerWorld {
  s3: S3Client;
  sns: SNSClient;
  bucket: string;
  logger: Logger;
  openCalendar?: typeof openMarketCalendar;
  /** Other middlewares, after ours. */
  use?: MiddlewareObj[];
}

/** What tasks share while a batch lasts: each is made when a task first asks for it. */
const resourcesOf = ({ s3, bucket, openCalendar = openMarketCalendar }: WorkerWorld) =>
  contextResources({ calendar: openCalendar, reports: () => openReportStore({ s3, bucket }) });

type MarketContext = ContextOf<ReturnType<typeof resourcesOf>>;

/** The chain: what one task returns is what the next one gets. */
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
      // It would print each message that fails, all of it; lambdaLogged says which and why.
      .use(sqsPartialBatchFailure({ logger: () => {} }))
      .use(sqsSnsUnwrap())
      .use(storedDataHydrate({ s3, bucket }))
      .use(resourcesOf(world))
      .use(callbackPublisher({ s3, sns, bucket, ajson: marketAjson }))
      .use(use)
  );
}
