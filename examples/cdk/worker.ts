import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import {
  callbackPublisher,
  cancellable,
  chainEvents,
  failurePolicy,
  idempotent,
  lambdaLogged,
  queued,
  routeTasks,
  s3Sink,
  sqsSnsUnwrap,
  storedDataHydrate,
} from 'algernon-middy';
import type { SQSHandler } from 'aws-lambda';

const worker = routeTasks({
  resize: async ({ image, width }: { image: string; width: number }) => ({ image: `${image}@${width}` }),
  describe: async ({ image }: { image: string }) => ({ text: `an image, ${image}` }),
});

export const handler: SQSHandler = middy(queued(worker))
  .use(lambdaLogged())
  // lambdaLogged logs the failures. By default this middleware would also print the messages.
  .use(sqsPartialBatchFailure({ logger: () => {} }))
  .use(sqsSnsUnwrap())
  .use(storedDataHydrate())
  .use(callbackPublisher())
  .use(failurePolicy())
  .use(idempotent())
  .use(cancellable())
  .use(chainEvents({ to: s3Sink() }));
