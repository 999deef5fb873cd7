import { isDeepStrictEqual } from 'node:util';
import { Logger } from '@aws-lambda-powertools/logger';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { startLocalAws } from '../local/index.ts';
import {
  ajson,
  callbackPublisher,
  lambdaLogged,
  queued,
  StoredData,
  sqsSnsUnwrap,
  storedDataHydrate,
  type Task,
} from '../middlewares/index.ts';
import { lambdaContext } from '../test/support/lambdaContext.ts';
import { sqsRecord } from '../test/support/sqsRecord.ts';

/**
 * Runs a batch of tasks against local SNS and S3. Each task has its arguments in S3, and all results go to the same
 * next task.
 *
 * @returns how often each operation of the SDK was called
 */
export async function countCalls(length: number): Promise<Readonly<Record<string, number>>> {
  await using aws = await startLocalAws();
  const { s3, sns, bucket } = aws;
  const { TopicArn: next = '' } = await sns.send(new CreateTopicCommand({ Name: 'next' }));
  const stored = { data_string: { rows: [1, 2, 3] }, full_unpack: true, safe_mode: false };
  await s3.send(
    new PutObjectCommand({ Bucket: bucket, Key: 'cache/rows!1.000.json', Body: JSON.stringify(stored) }),
  );

  const calls: Record<string, number> = {};
  const count = (name = 'unknown') => {
    const call = name.replace(/Command$/, '');
    calls[call] = (calls[call] ?? 0) + 1;
  };
  const first = { step: 'initialize' } as const;
  s3.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        count(commandName);
        return next(args);
      },
    first,
  );
  sns.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        count(commandName);
        return next(args);
      },
    first,
  );

  const handler = middy(queued(async ({ task_kwargs }: Task) => task_kwargs))
    .use(lambdaLogged({ logger: new Logger({ logLevel: 'SILENT' }) }))
    .use(sqsPartialBatchFailure())
    .use(sqsSnsUnwrap())
    .use(storedDataHydrate({ s3, bucket }))
    .use(callbackPublisher({ s3, sns, bucket, topics: { next } }));
  const task = {
    task_name: 'first',
    task_kwargs: { rows: new StoredData({ pointer: `${bucket}#cache/rows!1.000.json` }) },
    callback: 'next',
  };
  const Records = Array.from({ length }, () => sqsRecord(ajson.dumps(task)));
  const answer = await handler({ Records }, lambdaContext());
  if (!isDeepStrictEqual(answer, { batchItemFailures: [] })) throw new Error('a task failed');
  return calls;
}
