import { CreateTopicCommand, PublishCommand } from '@aws-sdk/client-sns';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import { type LocalAws, startLocalAws, startWorker } from '../../local/index.ts';
import {
  type ChainState,
  callbackPublisher,
  chainEvents,
  type EventSink,
  type EventSource,
  failurePolicy,
  fanOut,
  getChain,
  memorySink,
  NonRetryableError,
  queued,
  routeTasks,
  type SendGroupOptions,
  s3Sink,
  sendGroup,
  sendTask,
  sqsSnsUnwrap,
  storedDataHydrate,
  type TaskFunction,
  taskMetrics,
  waitForChain,
} from '../../middlewares/index.ts';

// On a machine that does other work too.
jest.setTimeout(120_000);

let aws: LocalAws;
const stops: (() => Promise<void>)[] = [];
const closing: Promise<void>[] = [];
beforeEach(async () => {
  aws = await startLocalAws();
});
/** A worker stops after its last poll, for which the next test need not wait. */
afterEach(() => {
  const { stop } = aws;
  closing.push(Promise.all(stops.splice(0).map((stopWorker) => stopWorker())).then(stop));
});
afterAll(async () => {
  await Promise.all(closing);
});

const start = async (
  functions: Record<string, TaskFunction>,
  from: EventSink & EventSource = memorySink(),
  more = (stack: ReturnType<typeof middy>) => stack,
) => {
  const { s3, sns, sqs, bucket } = aws;
  const stack = middy(queued(routeTasks(functions)))
    .use(callbackPublisher({ s3, sns, sqs, bucket }))
    .use(storedDataHydrate({ s3, bucket }))
    .use(sqsSnsUnwrap())
    .use(sqsPartialBatchFailure({ logger: () => {} }))
    .use(failurePolicy({ sqs, backoff: false }))
    .use(chainEvents({ to: from }));
  const worker = await startWorker({
    aws,
    handler: more(stack as never) as never,
    tasks: [...Object.keys(functions), 'gather'],
    visibilityTimeoutSeconds: 30,
    retryDelaySeconds: 1,
    onInvocation: () => {},
    onError: () => {},
  });
  stops.push(worker.stop);
  await sns.send(new CreateTopicCommand({ Name: 'nobody' }));
  const nobody = worker.topics.gather?.replace(/gather$/, 'nobody') as string;
  const shared = { s3, sns, bucket, topics: { ...worker.topics, nobody }, events: from };
  return {
    ...worker,
    from,
    send: (task: Parameters<typeof sendTask>[0], options = {}) => sendTask(task, { ...shared, ...options }),
    sendGroup: (tasks: Parameters<typeof sendGroup>[0], options: SendGroupOptions) =>
      sendGroup(tasks as never, { ...shared, sqs, ...options }),
    state: async (chainId: string) => (await getChain(chainId, { from })) as ChainState,
  };
};

const thumbs = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ task_name: 'thumb', task_kwargs: { n } }));

/** The tree as indented names, each with the branch and the status. */
const treeOf = ({ tasks }: ChainState) =>
  tasks
    .map(({ depth, taskName, role = '', group, status }) => {
      const place = group?.index === undefined ? role : `${role} ${group.index}`;
      return `${'  '.repeat(depth)}${taskName}${place && ` (${place})`}: ${status}`;
    })
    .join('\n');

const inOrder = (state: ChainState) => treeOf(state).split('\n').sort();

const breaks = (n: number): TaskFunction => {
  return (kwargs) => {
    if (kwargs.n === n) throw new NonRetryableError(`broken ${n}`);
    return kwargs.n;
  };
};

describe('a chain with a group', () => {
  test('shows its branches below the task that has split, and the join beside them', async () => {
    const worker = await start({
      split: () => fanOut(thumbs(3), { then: 'album' }),
      thumb: ({ n }) => n,
      album: ({ results }) => ({ pages: results.length }),
      report: () => {},
    });
    const { chainId } = await worker.send({ task_name: 'split', callback: 'split#report' });
    const state = await waitForChain(chainId, { from: worker.from, timeoutSeconds: 60 });
    expect(inOrder(state)).toEqual([
      '    report (callback): succeeded',
      '  album (join): succeeded',
      '  thumb (branch 0): succeeded',
      '  thumb (branch 1): succeeded',
      '  thumb (branch 2): succeeded',
      'split: succeeded',
    ]);
    const joinId = state.tasks.find(({ role }) => role === 'join')?.messageId;
    expect(state.groups).toEqual([
      { id: expect.any(String), of: 3, joined: [0, 1, 2], failed: [], joinId, isOpen: false },
    ]);
    expect(state.tasks.map(({ missing }) => missing)).toEqual(state.tasks.map(() => []));
  });

  test('is read from S3 by waitForChain, which neither ends early nor waits forever', async () => {
    const { s3, bucket } = aws;
    const open: ChainState[] = [];
    const from = s3Sink({ s3, bucket, folder: 'chains' });
    const worker = await start(
      {
        split: () => fanOut(thumbs(2), { then: 'album' }),
        thumb: async ({ n }) => {
          if (n === 1) await new Promise((resolve) => setTimeout(resolve, 700));
          return n;
        },
        album: () => {},
      },
      from,
    );
    const { chainId } = await worker.send({ task_name: 'split' });
    const seen = waitForChain(chainId, { from, timeoutSeconds: 60, pollSeconds: 0.1 });
    const look = setInterval(
      () => void worker.state(chainId).then((state) => state && open.push(state)),
      100,
    );
    const state = await seen;
    clearInterval(look);
    expect(state.status).toBe('succeeded');
    expect(state.tasks.map(({ taskName }) => taskName)).toEqual(['split', 'thumb', 'thumb', 'album']);
    for (const { status, tasks } of open) {
      if (!tasks.some(({ taskName }) => taskName === 'album')) expect(status).toBe('open');
    }
  });

  test('nests, and shows the inner group below its branch', async () => {
    const worker = await start({
      outer: () => fanOut([{ task_name: 'inner' }, ...thumbs(1)], { then: 'album' }),
      inner: () => fanOut(thumbs(2), { then: 'sum' }),
      thumb: ({ n }) => n,
      sum: ({ results }) => results.length,
      album: () => {},
    });
    const { chainId } = await worker.send({ task_name: 'outer' });
    await worker.idle();
    const state = await worker.state(chainId);
    expect(state.status).toBe('succeeded');
    expect(inOrder(state)).toEqual([
      '    sum (join): succeeded',
      '    thumb (branch 0): succeeded',
      '    thumb (branch 1): succeeded',
      '  album (join): succeeded',
      '  inner (branch 0): succeeded',
      '  thumb (branch 1): succeeded',
      'outer: succeeded',
    ]);
    expect(state.groups.map(({ of, joined, isOpen }) => ({ of, joined, isOpen }))).toEqual([
      { of: 2, joined: [0, 1], isOpen: false },
      { of: 2, joined: [0, 1], isOpen: false },
    ]);
  });

  test('without branches has only the join', async () => {
    const worker = await start({ split: () => fanOut([], { then: 'album' }), album: () => {} });
    const { chainId } = await worker.send({ task_name: 'split' });
    await worker.idle();
    const state = await worker.state(chainId);
    expect(treeOf(state)).toBe('split: succeeded\n  album (join): succeeded');
    expect(state.groups).toMatchObject([{ of: 0, joined: [], isOpen: false }]);
    expect(state.status).toBe('succeeded');
  });
});

describe('a branch that fails for good', () => {
  test('is a failed index of a group that collects', async () => {
    const worker = await start({
      split: () => fanOut(thumbs(3), { then: 'album', failures: 'collect' }),
      thumb: breaks(1),
      album: () => {},
    });
    const { chainId } = await worker.send({ task_name: 'split' });
    await worker.idle();
    const state = await worker.state(chainId);
    expect(state.status).toBe('failed');
    expect(state.groups).toMatchObject([{ joined: [0, 1, 2], failed: [1], isOpen: false }]);
    expect(inOrder(state)).toContain('  thumb (branch 1): failed');
    expect(inOrder(state)).toContain('  album (join): succeeded');
    const failed = waitForChain(chainId, { from: worker.from });
    await expect(failed).rejects.toMatchObject({ code: 'CHAIN_FAILED', cause: { message: 'broken 1' } });
  });

  test('keeps a group open that waits, until it is redriven', async () => {
    let isBroken = true;
    const worker = await start({
      split: () => fanOut(thumbs(2), { then: 'album' }),
      thumb: ({ n }) => {
        if (n === 1 && isBroken) throw new NonRetryableError('broken');
        return { error: n };
      },
      album: () => {},
    });
    const { chainId } = await worker.send({ task_name: 'split' });
    await worker.idle();
    expect(await worker.state(chainId)).toMatchObject({
      status: 'failed',
      groups: [{ joined: [0], failed: [], isOpen: true, joinId: undefined }],
    });
    isBroken = false;
    const [letter] = await worker.deadLetters('thumb');
    await aws.sqs.send(
      new SendMessageCommand({ QueueUrl: worker.queues.thumb?.url, MessageBody: letter?.body }),
    );
    await worker.idle();
    expect(await worker.state(chainId)).toMatchObject({
      status: 'succeeded',
      groups: [{ joined: [0, 1], failed: [], isOpen: false }],
    });
  });

  test.each([
    ['has an error task', 'cleanup', '  cleanup (error): succeeded'],
    ['has no error task', undefined, '  thumb (branch 1): failed'],
  ])('ends a group that fails and %s', async (_, onError, line) => {
    const worker = await start({
      split: () => fanOut(thumbs(2), { then: 'album', failures: 'fail', onError }),
      thumb: breaks(1),
      album: () => {},
      cleanup: () => {},
    });
    const { chainId } = await worker.send({ task_name: 'split' });
    await worker.idle();
    const state = await worker.state(chainId);
    expect(inOrder(state)).toContain(line);
    expect(state.groups).toMatchObject([{ failed: [1], isOpen: false }]);
    expect(state.status).toBe('failed');
    expect(state.tasks.map(({ taskName }) => taskName)).not.toContain('album');
  });

  test('fails the branch of the group around it', async () => {
    const worker = await start({
      outer: () => fanOut([{ task_name: 'inner' }, ...thumbs(1)], { then: 'album', failures: 'collect' }),
      inner: () => fanOut(thumbs(3), { then: 'album', failures: 'fail' }),
      thumb: breaks(2),
      album: () => {},
    });
    const { chainId } = await worker.send({ task_name: 'outer' });
    await worker.idle();
    const { groups, status } = await worker.state(chainId);
    expect(status).toBe('failed');
    expect(groups.find(({ of }) => of === 2)).toMatchObject({ joined: [0, 1], failed: [0], isOpen: false });
    expect(groups.find(({ of }) => of === 3)).toMatchObject({ failed: [2], isOpen: false });
  });
});

describe('a deadline', () => {
  test('shows what it has closed, and ends branches that nobody receives', async () => {
    const worker = await start({
      split: () =>
        fanOut([...thumbs(1), { task_name: 'nobody' }, { task_name: 'nobody' }], {
          then: 'album',
          deadlineSeconds: 1,
        }),
      thumb: ({ n }) => n,
      album: () => {},
    });
    const { chainId } = await worker.send({ task_name: 'split' });
    await worker.idle();
    const state = await worker.state(chainId);
    expect(inOrder(state)).toEqual([
      '  album (join): succeeded',
      '  gather: succeeded',
      '  nobody (branch 1): failed',
      '  nobody (branch 2): failed',
      '  thumb (branch 0): succeeded',
      'split: succeeded',
    ]);
    expect(state.groups).toMatchObject([{ joined: [0, 1, 2], failed: [1, 2], isOpen: false }]);
    expect(state.status).toBe('failed');
    const failed = waitForChain(chainId, { from: worker.from });
    await expect(failed).rejects.toMatchObject({ cause: { code: 'GROUP_DEADLINE' } });
  });

  test('ends the other branches of a group that fails', async () => {
    const worker = await start({ thumb: ({ n }) => n, album: () => {}, cleanup: () => {} });
    const nobody = { task_name: 'nobody' };
    const { chainId } = await worker.sendGroup([nobody, ...thumbs(1), nobody], {
      then: 'album',
      failures: 'fail',
      onError: 'cleanup',
      deadlineSeconds: 1,
    });
    await worker.idle();
    const state = await worker.state(chainId);
    expect(state).toMatchObject({ status: 'failed', open: [] });
    expect(inOrder(state)).toEqual(
      expect.arrayContaining(['cleanup (error): succeeded', 'gather: succeeded']),
    );
  });

  test('leaves no trace in a group that has ended, and no metric', async () => {
    const lines: string[] = [];
    const log = jest
      .spyOn(process.stdout, 'write')
      .mockImplementation((line) => lines.push(String(line)) > 0);
    const worker = await start({ thumb: ({ n }) => n, album: () => {} }, memorySink(), (stack) =>
      stack.use(taskMetrics()),
    );
    // Long enough for a busy machine to end the group before.
    const { chainId } = await worker.sendGroup(thumbs(2), { then: 'album', deadlineSeconds: 8 });
    const { endedAt } = await waitForChain(chainId, { from: worker.from, timeoutSeconds: 30 });
    await worker.idle();
    log.mockRestore();
    const state = await worker.state(chainId);
    expect(inOrder(state)).toEqual([
      'album (join): succeeded',
      'thumb (branch 0): succeeded',
      'thumb (branch 1): succeeded',
    ]);
    expect(state.endedAt).toBe(endedAt);
    expect(lines.join('\n')).toContain('"task_name":"thumb"');
    expect(lines.join('\n')).not.toContain('"task_name":"gather"');
  });
});

describe('sendGroup', () => {
  test('writes an event for each branch, with its group', async () => {
    const worker = await start({ thumb: ({ n }) => n, after: (kwargs) => kwargs, album: () => {} });
    const tasks = thumbs(2).map((task) => ({ ...task, callback: 'after' }));
    const { chainId, groupId } = await worker.sendGroup(tasks, { then: 'album' });
    const sent = (await worker.from.open(chainId).read({})).filter(
      (event) => (event as { type: string }).type === 'sent',
    );
    expect(sent).toEqual(
      [0, 1].map((index) =>
        expect.objectContaining({
          taskName: 'thumb',
          callback: `after#gather#g-${groupId}-${index}-of-2`,
          group: { id: groupId, of: 2, index },
        }),
      ),
    );
    const state = await waitForChain(chainId, { from: worker.from, timeoutSeconds: 60 });
    expect(inOrder(state)).toEqual([
      '  after (callback): succeeded',
      '  after (callback): succeeded',
      'album (join): succeeded',
      'thumb (branch 0): succeeded',
      'thumb (branch 1): succeeded',
    ]);
  });

  test('within a task belongs to that task, and continues its chain', async () => {
    const worker = await start({
      load: async () => {
        const { s3, sns, bucket } = aws;
        await sendGroup(thumbs(2), { then: 'album', s3, sns, bucket, topics: worker.topics });
      },
      thumb: ({ n }) => n,
      album: () => {},
    });
    const { chainId } = await worker.send({ task_name: 'load' });
    await worker.idle();
    const state = await worker.state(chainId);
    expect(state.status).toBe('succeeded');
    expect(inOrder(state)).toEqual([
      '  album (join): succeeded',
      '  thumb (branch 0): succeeded',
      '  thumb (branch 1): succeeded',
      'load: succeeded',
    ]);
  });

  test('refuses a sink that is none', async () => {
    const sending = sendGroup(thumbs(1), { then: 'album', events: 7 as never });
    await expect(sending).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringContaining('events'),
    });
  });
});

test('a branch of a Python worker ends when gather has recorded it, in the chain of its group', async () => {
  const memory = memorySink();
  const worker = await start({ album: () => {} }, memory);
  const { chainId, groupId } = await worker.sendGroup([{ task_name: 'nobody' }, { task_name: 'nobody' }], {
    then: 'album',
  });
  for (const index of [1, 0]) {
    expect((await worker.state(chainId)).status).toBe('open');
    // The message of a Python worker has no attributes, and so no chain_id.
    const Message = JSON.stringify({
      task_name: 'gather',
      task_kwargs: { index },
      callback: `gather#g-${groupId}-${index}-of-2`,
    });
    await aws.sns.send(new PublishCommand({ TopicArn: worker.topics.gather, Message }));
    await worker.idle();
  }
  const state = await worker.state(chainId);
  expect(state).toMatchObject({ status: 'succeeded', groups: [{ joined: [0, 1], isOpen: false }] });
  expect(inOrder(state)).toEqual([
    '  gather: succeeded',
    '  gather: succeeded',
    'album (join): succeeded',
    'nobody (branch 0): succeeded',
    'nobody (branch 1): succeeded',
  ]);
  expect(memory.chainIds()).toEqual([chainId]);
});
