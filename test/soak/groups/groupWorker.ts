/**
 * One worker of the soak of groups, in a process that may be killed at any time: `node groupWorker.ts SEED`, with the services
 * in the environment. Each run of `joined` is written down in S3, as a fact that outlives the process.
 */
import { createHash, randomUUID } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { PublishCommand } from '@aws-sdk/client-sns';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { queued } from '../../../core/batch/queued.ts';
import { NonRetryableError } from '../../../core/errors.ts';
import { fanOut } from '../../../core/groups/fanOut.ts';
import type { RoutedExtras } from '../../../core/tasks/routeTasks.ts';
import { routeTasks } from '../../../core/tasks/routeTasks.ts';
import { startWorker } from '../../../local/index.ts';
import { callbackPublisher } from '../../../middlewares/callbackPublisher.ts';
import { failurePolicy } from '../../../middlewares/failurePolicy.ts';
import { sqsSnsUnwrap } from '../../../middlewares/sqsSnsUnwrap.ts';
import { storedDataHydrate } from '../../../middlewares/storedDataHydrate.ts';
import { type Attempt, type Fault, faultyClients } from '../../support/faultyClients.ts';
import { createRandom } from '../createRandom.ts';
import { seededFaults } from '../seededFaults.ts';
import {
  branchesOf,
  collects,
  groupWorkerOptions,
  joinedPrefix,
  type Kind,
  nestedCount,
} from './groupTasks.ts';

const env = process.env as Record<string, string>;
const bucket = env.ALGERNON_BUCKET_NAME ?? '';
const ledger = faultyClients({ env }, () => undefined, { maxAttempts: 5 });
let faultOf: (attempt: Attempt) => Fault | undefined = () => undefined;
// Of two attempts: the client repeats a write whose answer was lost, and gets a 412 for its own object.
const { s3, sns, sqs } = faultyClients({ env }, (attempt) => faultOf(attempt), { maxAttempts: 2 });

interface BranchArguments {
  n: number;
  index: number;
  kind: Kind;
}

/** Differs in each run, so that two runs of a branch can be told apart. */
const result = ({ n, index, kind }: BranchArguments) => ({
  n,
  index,
  run: randomUUID(),
  ...(kind === 'large' && { text: 'x'.repeat(100_000) }),
});

const tasks = {
  split: ({ n, count }: { n: number; count: number }) => {
    // A redelivery returns another list.
    const shift = Math.floor(Math.random() * 3);
    const branches = branchesOf(n, count);
    return fanOut(shift === 0 ? branches : branchesOf(n, count + shift), {
      then: 'joined',
      failures: collects(n) ? 'collect' : 'wait',
    });
  },
  branch(kwargs: BranchArguments) {
    if (kwargs.kind === 'failing') throw new NonRetryableError(`broken ${kwargs.n}/${kwargs.index}`);
    return result(kwargs);
  },
  second: (kwargs: object) => ({ ...kwargs, second: true }),
  nest: (kwargs: BranchArguments) =>
    fanOut(
      Array.from({ length: nestedCount }, (_, index) => ({
        task_name: 'branch',
        task_kwargs: { n: kwargs.n, index, kind: 'plain', of: kwargs.index },
      })),
      { then: 'inner' },
    ),
  inner: ({ results }: { results: { n: number; run: string }[] }) => ({
    n: results[0]?.n,
    inner: results.map(({ run }) => run),
  }),
  /** Stores its result and hands its chain on whole, without attributes, and knows nothing of groups. */
  async python({ n, index }: BranchArguments, _: unknown, { task }: RoutedExtras) {
    const Key = `cache/${randomUUID()}!1565012856.447914.json`;
    const data_string = { n, index, run: randomUUID() };
    const Body = JSON.stringify({ data_string, full_unpack: true, safe_mode: false });
    await ledger.s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
    const pointer = {
      _alg_class: 'StoredData',
      _alg_module: 'algernon.aws.snakes',
      value: { pointer: `${bucket}#${Key}` },
    };
    const Message = JSON.stringify({ task_name: 'gather', task_kwargs: pointer, callback: task.callback });
    await ledger.sns.send(new PublishCommand({ TopicArn: topics.gather, Subject: 'callback', Message }));
  },
  async joined({ results }: { results: unknown[] }) {
    const text = JSON.stringify(results);
    const n = (/"n":(\d+)/.exec(text) ?? /broken (\d+)\//.exec(text))?.[1] ?? 'none';
    const digest = createHash('sha256').update(text).digest('hex');
    const Key = `${joinedPrefix}${n}/${digest}/${randomUUID()}`;
    await ledger.s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: text }));
  },
};

const stack = (withGroups: boolean) => {
  const handler = middy(queued(routeTasks(tasks)))
    .use(failurePolicy({ sqs, backoff: { baseSeconds: 1, maxSeconds: 1, jitter: 1 } }))
    .use(storedDataHydrate({ s3, bucket }))
    .use(sqsSnsUnwrap())
    .use(sqsPartialBatchFailure({ logger: () => {} }));
  return withGroups ? handler.use(callbackPublisher({ s3, sns, sqs, bucket, maxReceiveCount: 12 })) : handler;
};
const own = stack(true);
const python = stack(false);

const { topics } = await startWorker({
  ...groupWorkerOptions,
  aws: { sns, sqs },
  handler: ((event: { Records: { eventSourceARN: string }[] }, context: never) =>
    (event.Records[0]?.eventSourceARN.endsWith(':python') ? python : own)(event as never, context)) as never,
});
const random = createRandom(Number(process.argv[2]));
const passing = seededFaults(random, 5);
faultOf = (attempt) => {
  const isWrite = attempt.service === 's3' && attempt.operation === 'PUT';
  if (isWrite && random() < 0.05) return { status: 409, code: 'ConditionalRequestConflict' };
  return passing(attempt);
};
process.send?.('started');
process.once('disconnect', () => process.exit());
