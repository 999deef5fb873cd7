import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { GroupSettings } from '../../../core/groups/plan.ts';
import { formatTicket } from '../../../core/groups/ticket.ts';
import type { TaskMessage } from '../../../core/tasks/taskPublisher.ts';
import { type LocalAws, startLocalAws } from '../../../local/index.ts';
import { type AwsGroupsOptions, awsGroups, groupHashOf } from '../../../middlewares/groups/awsGroups.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());
afterEach(() => {
  jest.restoreAllMocks();
});

const arn = (name: string) => `arn:aws:sns:us-east-1:123456789012:${name}`;
const queue = 'https://sqs.us-east-1.amazonaws.com/123456789012/gather';
type Entry = { Id: string; MessageBody: string; DelaySeconds?: number };

/** Groups in a bucket, with what they publish and send to queues. */
function open(over: Partial<AwsGroupsOptions> = {}, isDown = false) {
  const published: TaskMessage[] = [];
  const delayed: Entry[] = [];
  const publisher = {
    async send(messages: readonly TaskMessage[]) {
      published.push(...messages);
      return messages.map((_, index) => ({ messageId: `m-${index}` }));
    },
  };
  const sqs = {
    async send({ input: { Entries } }: { input: { Entries: readonly Entry[] } }) {
      if (isDown) throw new Error('down');
      delayed.push(...Entries);
      return { Successful: Entries.map(({ Id }) => ({ Id, MessageId: Id })), Failed: [] };
    },
  };
  const groups = awsGroups({
    s3: aws.s3,
    sqs: sqs as never,
    publisher: publisher as never,
    bucket: aws.bucket,
    acl: undefined,
    maxMessageBytes: 262_144,
    expiryDays: 30,
    owner: 'owner',
    ...over,
  });
  return { groups, published, delayed };
}

let works = 0;
/** Starts a group of one branch. */
function start({ groups }: Pick<ReturnType<typeof open>, 'groups'>, over: Partial<GroupSettings> = {}) {
  const settings: GroupSettings = {
    then: { taskName: 'album', topicArn: arn('album') },
    failures: 'wait',
    results: 'values',
    maxBytes: 1_000_000,
    attributes: {},
    branchAttributes: { tenant: 'blue' },
    ...over,
  };
  works += 1;
  return groups.start(groupHashOf([works]), async (group) => ({
    settings,
    messages: [
      {
        index: 0,
        topicArn: arn('thumb'),
        message: `{"callback":"gather#${formatTicket({ group, index: 0, count: 1 })}"}`,
      },
    ],
  }));
}

test('a large result has a name with its size, which is new each time', async () => {
  const names = new Set<string>();
  const opened = open();
  for (let at = 0; at < 2; at += 1) {
    const { id } = await start(opened);
    const value = JSON.stringify('x'.repeat(70_000));
    await opened.groups.join({ group: id, index: 0, count: 1 }, { value });
    const { Contents = [] } = await aws.s3.send(
      new ListObjectsV2Command({ Bucket: aws.bucket, Prefix: `groups/${id}/r` }),
    );
    const [, name, bytes] = /\/r0-([0-9a-f]{32})-(\d+)!\d+\.json$/.exec(Contents[0]?.Key ?? '') ?? [];
    expect(Number(bytes)).toBe(Contents[0]?.Size);
    names.add(String(name));
  }
  expect(names.size).toBe(2);
});

describe('a deadline', () => {
  const withDeadline = { deadlineSeconds: 60, gatherQueue: queue };

  test.each([
    [arn('album'), arn('gather')],
    ['album', 'album'],
  ])('of a group whose next task has the topic %s comes from %s', async (topicArn, expected) => {
    const opened = open();
    const { id } = await start(opened, { ...withDeadline, then: { taskName: 'album', topicArn } });
    expect(opened.delayed.map(({ DelaySeconds }) => DelaySeconds)).toEqual([60]);
    expect(JSON.parse(opened.delayed[0]?.MessageBody ?? '')).toMatchObject({
      TopicArn: expected,
      MessageId: `${id}.deadline`,
      Message: `{"task_name":"gather","task_kwargs":{},"callback":"gather#g-${id}-deadline"}`,
      MessageAttributes: { tenant: { Value: 'blue' } },
    });
  });

  test('that cannot be sent fails the start, before a branch is sent', async () => {
    const opened = open({}, true);
    await expect(start(opened, withDeadline)).rejects.toMatchObject({ code: 'PUBLISH_FAILED' });
    expect(opened.published).toEqual([]);
  });

  test('must be a day before a lifecycle rule removes the group', async () => {
    const day = 86_400;
    const opened = open({ expiryDays: 2 });
    await start(opened, { ...withDeadline, deadlineSeconds: day - 1 });
    const late = start(opened, { ...withDeadline, deadlineSeconds: day });
    await expect(late).rejects.toMatchObject({ code: 'BAD_OPTION' });
  });
});

test('a result after a failure is a warning with the name of the function', async () => {
  const warned = jest.spyOn(console, 'warn').mockImplementation(() => {});
  const opened = open();
  const { id } = await start(opened, { failures: 'collect' });
  const ticket = { group: id, index: 0, count: 1 };
  await opened.groups.join(ticket, { error: '{"message":"no"}' });
  await opened.groups.join(ticket, { value: '1' });
  expect(warned.mock.calls).toEqual([[expect.stringMatching(/^owner: Branch 0 /)]]);
});
