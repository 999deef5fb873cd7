/**
 * A worker of the soak, in a process that may be killed at any time: `node worker.ts SEED`, with the services in the
 * environment. It also records each run in S3, which survives the process.
 */
import { randomUUID } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { queued } from '../../core/batch/queued.ts';
import { NonRetryableError } from '../../core/errors.ts';
import { routeTasks } from '../../core/tasks/routeTasks.ts';
import { startWorker } from '../../local/index.ts';
import { callbackPublisher } from '../../middlewares/callbackPublisher.ts';
import { failurePolicy } from '../../middlewares/failurePolicy.ts';
import { sqsSnsUnwrap } from '../../middlewares/sqsSnsUnwrap.ts';
import { storedDataHydrate } from '../../middlewares/storedDataHydrate.ts';
import { faultyClients } from '../support/faultyClients.ts';
import { createRandom } from './createRandom.ts';
import { seededFaults } from './seededFaults.ts';
import { type Load, ledgerPrefix, type Step } from './steps.ts';
import { workerOptions } from './workerOptions.ts';

const env = process.env as Record<string, string>;
const bucket = env.ALGERNON_BUCKET_NAME ?? '';
const ledger = faultyClients({ env }, () => undefined, { maxAttempts: 5 }).s3;
let faultOf: ReturnType<typeof seededFaults> = () => undefined;
// Without retries in the SDK, so that the library has to handle every fault.
const { s3, sns, sqs } = faultyClients({ env }, (attempt) => faultOf(attempt));

const run = (step: Step) => async (load: Load) => {
  const { n, poison, via } = load;
  if (poison?.at === step) {
    throw poison.final ? new NonRetryableError(`poison ${n}`) : new Error(`poison ${n}`);
  }
  const Key = `${ledgerPrefix(step)}${n}/${randomUUID()}`;
  await ledger.send(new PutObjectCommand({ Bucket: bucket, Key, Body: via.join(' ') || 'nothing' }));
  return { ...load, via: [...via, step] };
};

const handler = middy(queued(routeTasks({ first: run('first'), second: run('second'), third: run('third') })))
  .use(callbackPublisher({ s3, sns, bucket }))
  .use(failurePolicy({ sqs, backoff: { baseSeconds: 1, maxSeconds: 1, jitter: 1 } }))
  .use(storedDataHydrate({ s3, bucket }))
  .use(sqsSnsUnwrap())
  .use(sqsPartialBatchFailure({ logger: () => {} }));

await startWorker({ ...workerOptions, aws: { sns, sqs }, handler: handler as never });
faultOf = seededFaults(createRandom(Number(process.argv[2])), 10);
process.send?.('started');
process.once('disconnect', () => process.exit());
