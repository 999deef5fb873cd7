import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import {
  ajson,
  callbackPublisher,
  Decimal,
  lambdaLogged,
  queued,
  routeTasks,
  sqsSnsUnwrap,
  storedDataHydrate,
} from 'algernon-middy';
import type { SQSHandler } from 'aws-lambda';

/** The result of `total`, which is a task in Python. */
export interface Total {
  total: Decimal;
  cities: Set<string>;
  latest: Date;
}

const worker = routeTasks({
  read: ({ csv }: { csv: string }) => ({ sales: csv.trim().split('\n').map(readSale) }),

  report({ total, cities, latest }: Total) {
    console.log(`${total} in ${[...cities].sort().join(' and ')} until ${latest.toISOString().slice(0, 10)}`);
    return { total, cities, latest };
  },
});

function readSale(line: string) {
  const [day = '', city = '', price = ''] = line.split(';');
  return { at: new Date(day), city, price: new Decimal(price) };
}

export const handler: SQSHandler = middy(queued(worker, { rebuild: ajson }))
  .use(lambdaLogged())
  .use(sqsPartialBatchFailure({ logger: () => {} }))
  .use(sqsSnsUnwrap())
  .use(storedDataHydrate())
  .use(callbackPublisher());
