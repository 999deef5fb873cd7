import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import {
  type ContextOf,
  callbackPublisher,
  contextResources,
  defineTasks,
  failurePolicy,
  lambdaLogged,
  NonRetryableError,
  queued,
  RetryLaterError,
  routeTasks,
  sqsSnsUnwrap,
  storedDataHydrate,
  typed,
} from 'algernon-middy';
import type { SQSHandler } from 'aws-lambda';

/** The price of a product. */
export interface Price {
  sku: string;
  cents: number;
}

export const tasks = defineTasks({
  load: { kwargs: typed<{ file: string }>(), result: typed<{ file: string; prices: Price[] }>() },
  save: {
    kwargs: typed<{ file: string; prices: Price[] }>(),
    result: typed<{ file: string; saved: number }>(),
  },
});

const resources = contextResources({
  download: () => (file: string) => fetch(`${process.env.SUPPLIER_URL}/${file}`),
});
export type Context = ContextOf<typeof resources>;

const worker = routeTasks(
  {
    async load({ file }, context: Context) {
      const download = await context.download;
      const response = await download(file);
      if (response.status === 202) throw new RetryLaterError(1, `${file} is not ready`);
      // The message comes back after the response's Retry-After, else after the backoff.
      if (!response.ok) throw response;
      return { file, prices: (await response.text()).trim().split('\n').map(parsePrice) };
    },

    save({ file, prices }) {
      console.log(`${file}: ${prices.length} prices saved`);
      return { file, saved: prices.length };
    },
  },
  { tasks },
);

/** Fails for good if the file is wrong: the message goes to the dead-letter queue at once. */
function parsePrice(line: string, index: number): Price {
  const [, sku = '', units, cents] = /^(\w+);(\d+)\.(\d\d)$/.exec(line) ?? [];
  if (!sku) throw new NonRetryableError(`line ${index + 1} is not a price: ${line}`);
  return { sku, cents: Number(units) * 100 + Number(cents) };
}

export const handler: SQSHandler = middy(queued(worker))
  .use(lambdaLogged())
  .use(sqsPartialBatchFailure({ logger: () => {} }))
  .use(sqsSnsUnwrap())
  .use(storedDataHydrate())
  .use(resources)
  .use(failurePolicy({ backoff: [1, 5, 60, 900] })) // seconds after the first failure, the second, …
  .use(callbackPublisher());
