import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { Logger } from '@aws-lambda-powertools/logger';
import middy from '@middy/core';
import eventNormalizer from '@middy/event-normalizer';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import {
  callbackPublisher,
  contextResources,
  isTask,
  lambdaLogged,
  queued,
  sqsSnsUnwrap,
  storedDataHydrate,
  type Task,
} from '../middlewares/index.ts';

/** The work of each stack for a task. */
export type Work = (task: Task) => Promise<void>;

/** A Lambda handler that runs each task of a batch. */
export type BatchHandler = (event: SQSEvent, context: Context) => Promise<unknown>;

const failures = () => sqsPartialBatchFailure({ logger: () => {} });

/** This library, with the features that the others have. */
const unwrapped = (work: Work): BatchHandler => middy(queued(work)).use(failures()).use(sqsSnsUnwrap());

/** This library, with all its middlewares. */
const whole = (work: Work): BatchHandler =>
  middy(queued(work))
    .use(lambdaLogged({ logger: new Logger({ logLevel: 'SILENT' }) }))
    .use(failures())
    .use(sqsSnsUnwrap())
    .use(storedDataHydrate({ bucket: 'results' }))
    .use(contextResources({ startedAt: () => Date.now() }))
    .use(callbackPublisher({ bucket: 'results' }));

function asTask(message: unknown): Task {
  if (!isTask(message)) throw new Error('not a task');
  return message;
}

/** Middy's own middlewares, and a loop by hand. */
const normalized = (work: Work): BatchHandler =>
  middy((event: SQSEvent) =>
    Promise.allSettled(
      event.Records.map(async ({ body }) => work(asTask((body as { Message?: unknown }).Message))),
    ),
  )
    .use(eventNormalizer())
    .use(failures());

/** Powertools' batch processor. */
const powertools = (work: Work): BatchHandler => {
  const processor = new BatchProcessor(EventType.SQS);
  const handleRecord = ({ body }: SQSRecord) => work(asTask(JSON.parse(JSON.parse(body).Message)));
  return (event, context) =>
    processPartialResponse(event, handleRecord, processor, { context, throwOnFullBatchFailure: false });
};

/** The compared stacks. The first is the baseline. */
export const stacks: readonly { readonly name: string; handlerOf(work: Work): BatchHandler }[] = [
  { name: 'queued + sqsSnsUnwrap', handlerOf: unwrapped },
  { name: 'event-normalizer + a loop', handlerOf: normalized },
  { name: 'Powertools batch', handlerOf: powertools },
  { name: 'all six of ours', handlerOf: whole },
];
