import type { Logger } from '@aws-lambda-powertools/logger';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import middy, { type MiddlewareObj } from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import {
  type ContextOf,
  callbackPublisher,
  contextResources,
  defineTasks,
  failurePolicy,
  fanOut,
  lambdaLogged,
  queued,
  routeTasks,
  type SendTaskOptions,
  type SentTask,
  sendTask,
  sqsSnsUnwrap,
  storedDataHydrate,
  typed,
} from 'algernon-middy';
import type { LambdaHandler } from 'algernon-middy/local';
import { analyse } from './analyse.ts';
import { type AnalysedCompany, type CompanyResult, createPortfolio } from './createPortfolio.ts';
import { type Company, loadSeries } from './loadSeries.ts';
import { marketAjson } from './marketAjson.ts';
import { openMarketCalendar } from './openMarketCalendar.ts';
import { openStore } from './openStore.ts';
import type { PriceSeries } from './PriceSeries.ts';

/** The arguments of a run. If a company fails for good, the portfolio waits for its redrive, or collects its error. */
export interface Market {
  companies: Company[];
  failures: 'wait' | 'collect';
}

/** The arguments and the results of the tasks. */
const tasks = defineTasks({
  split: { kwargs: typed<Market>() },
  load: { kwargs: typed<Company>(), result: typed<{ series: PriceSeries }>() },
  analyse: { kwargs: typed<{ series: PriceSeries }>(), result: typed<AnalysedCompany>() },
  portfolio: { kwargs: typed<{ results: CompanyResult[] }>() },
});

/** The names of the tasks, in their order. */
export const taskNames = ['split', 'load', 'analyse', 'portfolio'] as const;

/** The companies go through load and analyse side by side. When all are done, portfolio gets their results. */
const worker = routeTasks(
  {
    split({ companies, failures }) {
      const branches = companies.map(
        (company) => ({ task_name: 'load', task_kwargs: company, callback: 'load#analyse' }) as const,
      );
      return fanOut(branches, { then: 'portfolio', failures, tasks });
    },

    load: (company) => ({ series: loadSeries(company) }),

    async analyse({ series }, context: MarketContext) {
      const analysis = analyse(series, await context.calendar);
      const store = await context.store;
      await store.putReport({ series, analysis });
      return { symbol: series.symbol, analysis };
    },

    async portfolio({ results }, context: MarketContext) {
      const store = await context.store;
      await store.putPortfolio(createPortfolio(results));
    },
  },
  { tasks },
);

/** Sends the companies on their way. */
export async function sendMarket(market: Market, options: SendTaskOptions): Promise<SentTask> {
  return sendTask({ task_name: 'split', task_kwargs: market }, { ...options, ajson: marketAjson, tasks });
}

/** The dependencies of the worker. On AWS, the defaults for the clients and the bucket suffice. */
export interface WorkerWorld {
  s3: S3Client;
  sns: SNSClient;
  sqs: SQSClient;
  bucket: string;
  logger: Logger;
  openCalendar?: typeof openMarketCalendar;
  /** Other middlewares, after ours. */
  use?: MiddlewareObj[];
}

/** The resources that the tasks of a batch share, made on first use. */
const resourcesOf = ({ s3, bucket, openCalendar = openMarketCalendar }: WorkerWorld) =>
  contextResources({ calendar: openCalendar, store: () => openStore({ s3, bucket }) });

type MarketContext = ContextOf<ReturnType<typeof resourcesOf>>;

/** The handler, as Lambda calls it. */
export function createHandler(world: WorkerWorld): LambdaHandler {
  const { s3, sns, sqs, bucket, logger, use = [] } = world;
  return (
    middy(queued(worker, { rebuild: marketAjson }))
      .use(lambdaLogged({ logger }))
      // By default it prints each failed message in full. lambdaLogged logs its id and its error.
      .use(sqsPartialBatchFailure({ logger: () => {} }))
      .use(sqsSnsUnwrap())
      .use(storedDataHydrate({ s3, bucket }))
      .use(resourcesOf(world))
      .use(callbackPublisher({ s3, sns, bucket, ajson: marketAjson }))
      // A failed task is tried again after a second, and after another one.
      .use(failurePolicy({ sqs, backoff: [1] }))
      .use(use)
  );
}
