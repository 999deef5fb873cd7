import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { unwrap } from '../../../core/batch/unwrapTask.ts';
import { formatGroupId } from '../../../core/groups/ticket.ts';
import { type LocalAws, startLocalAws } from '../../../local/index.ts';
import { type LazyGroups, lazyGroups } from '../../../middlewares/groups/lazyGroups.ts';
import type { TaskRun } from '../../../middlewares/index.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

let aws: LocalAws;
let groups: LazyGroups;
beforeAll(async () => {
  aws = await startLocalAws();
  type Given = Parameters<typeof lazyGroups>;
  const access = { s3: aws.s3, bucket: aws.bucket, publisher: {}, expiryDays: 30, owner: 'owner' };
  groups = lazyGroups(access as Given[0], { dumps: JSON.stringify } as unknown as Given[1]);
});
afterAll(() => aws.stop());

let hashes = 0;
/** Stores the plan of a group that collects, and returns the id. */
async function storedGroup(): Promise<string> {
  hashes += 1;
  const hash = String(hashes).padStart(15, '0');
  const id = formatGroupId(hash, Date.now());
  const plan = { version: 1, id, bucket: aws.bucket, count: 2, failures: 'collect', attributes: {} };
  const Body = JSON.stringify(plan);
  await aws.s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key: `groups/${hash}/plan`, Body }));
  return id;
}

/** The outcome that a branch has in its group. */
async function outcomeOf(id: string): Promise<unknown> {
  const listed = await aws.s3.send(
    new ListObjectsV2Command({ Bucket: aws.bucket, Prefix: `groups/${id}/s` }),
  );
  const [Key] = (listed.Contents ?? []).map((object) => object.Key);
  if (Key === undefined) return undefined;
  const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: aws.bucket, Key }));
  return JSON.parse((await Body?.transformToString()) ?? '').data_string;
}

const branch = (id: string) => ({ task_name: 'thumb', task_kwargs: {}, callback: `gather#g-${id}-0-of-2` });

/** A run of a message. Other stages or its handler may have changed the content. */
function runOf(
  message: unknown,
  { content, isDirect = false }: { content?: unknown; isDirect?: boolean } = {},
) {
  const record = sqsRecord(message);
  const read = () => ({ content: content ?? message, attributes: {} });
  const run = { context: {}, part: 0, cutoff: new AbortController().signal };
  return {
    ...run,
    record: isDirect ? undefined : record,
    unwrap: content === undefined && !isDirect ? () => unwrap(record) : read,
  } as unknown as TaskRun;
}

describe('a message is not served for a group', () => {
  test.each<[string, unknown]>([
    ['another task', { task_name: 'thumb', callback: 'gather#g-0-of-1' }],
    ['a task named gather without a ticket', { task_name: 'gather', callback: 'gather#next' }],
    ['a task named gather without a callback', { task_name: 'gather' }],
    ['not a task', 5],
    ['not JSON', 'x'],
  ])('if it is %s', async (_, message) => {
    expect(await groups.serve(runOf(message))).toBe(false);
  });
});

describe('a branch that has failed', () => {
  const error = { message: 'no' };

  test('is recorded, also if its handler has changed the task', async () => {
    for (const content of [undefined, { task_name: 'other' }, 'no task']) {
      const id = await storedGroup();
      await groups.fail(runOf(branch(id), { content }), error);
      expect(await outcomeOf(id)).toMatchObject({ error });
    }
  });

  test('is recorded if another stage found the task, or if it was invoked directly', async () => {
    const found = await storedGroup();
    await groups.fail(runOf(['a pointer'], { content: branch(found) }), error);
    expect(await outcomeOf(found)).toMatchObject({ error });
    const direct = await storedGroup();
    await groups.fail(runOf(branch(direct), { isDirect: true }), error);
    expect(await outcomeOf(direct)).toMatchObject({ error });
  });

  test.each<[string, unknown]>([
    ['is not a branch', { task_name: 'thumb', callback: 'next' }],
    ['is not a task', 5],
    ['is not JSON', 'x'],
  ])('has no group if it %s', async (_, message) => {
    await groups.fail(runOf(message), error);
  });
});
