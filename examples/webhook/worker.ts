import { randomUUID } from 'node:crypto';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import {
  callbackPublisher,
  failurePolicy,
  idempotent,
  lambdaLogged,
  queued,
  routeTasks,
  sqsSnsUnwrap,
  storedDataHydrate,
  type Task,
} from 'algernon-middy';
import type { SQSHandler } from 'aws-lambda';
import { tasks } from './tasks.ts';

const worker = routeTasks(
  {
    ship({ order, cents }) {
      const parcel = `parcel-${randomUUID().slice(0, 8)}`;
      console.log(`${order}: paid ${cents} cents, leaves as ${parcel}`);
      return { order, parcel };
    },
    thank({ order, parcel }) {
      console.log(`${order}: thank you! ${parcel} is on its way`);
    },
  },
  { tasks },
);

/** The arguments of any of these tasks. */
type Arguments = Partial<Record<'event' | 'order' | 'cents' | 'parcel', unknown>>;

export const handler: SQSHandler = middy(queued(worker))
  .use(lambdaLogged())
  .use(sqsPartialBatchFailure({ logger: () => {} }))
  .use(sqsSnsUnwrap())
  .use(storedDataHydrate())
  .use(failurePolicy())
  .use(callbackPublisher())
  .use(
    idempotent({
      // An order is shipped once for its event, and its customer thanked once for the parcel.
      key: ({ task_kwargs }: Task<Arguments>) => String(task_kwargs?.event ?? task_kwargs?.parcel),
      // The same event with another amount is an error, not a repetition.
      payload: ({ task_kwargs }: Task<Arguments>) => [task_kwargs?.order, task_kwargs?.cents],
    }),
  );
