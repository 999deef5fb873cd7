import { beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { ajson } from '../../../core/ajson/index.ts';
import { addStage, openPipeline, pipelineProperty } from '../../../core/batch/pipeline.ts';
import { unwrap } from '../../../core/batch/unwrapTask.ts';
import type { FanOut } from '../../../core/groups/FanOutResult.ts';
import { GroupError } from '../../../core/groups/GroupError.ts';
import type { Groups } from '../../../core/groups/openGroups.ts';
import type { Failures, GroupPlan, Prepare } from '../../../core/groups/plan.ts';
import { formatGroupId, formatTicket } from '../../../core/groups/ticket.ts';
import { type WorkerSurroundings, workerGroups } from '../../../middlewares/groups/workerGroups.ts';
import { defineTasks, fanOut, StoredData, type TaskRun } from '../../../middlewares/index.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

const group = formatGroupId('0'.repeat(15), 1_790_000_000_000);
const ticket = { group, index: 0, count: 2 };
const topicArn = (name: string) => `arn:aws:sns:us-east-1:123456789012:${name}`;
/** Topics of some tasks only. */
const knownTopics = { thumb: topicArn('thumb'), album: topicArn('album'), report: topicArn('report') };
const { signal } = new AbortController();
const { signal: cutoff } = new AbortController();
const report = () => {};

let calls: unknown[][] = [];
let failures: Failures = 'wait';
let prepared: Awaited<ReturnType<Prepare>> | undefined;
beforeEach(() => {
  calls = [];
  failures = 'wait';
  prepared = undefined;
});

/** Groups that record what they are asked for. */
const groups: Groups = {
  async start(hash, prepare, call) {
    calls.push(['start', hash, call]);
    prepared = await prepare(group);
    return { id: group } as GroupPlan;
  },
  async read(of, call) {
    calls.push(['read', of, call]);
    return { failures } as GroupPlan;
  },
  join: async (...args) => void calls.push(['join', ...args]),
  close: async (...args) => void calls.push(['close', ...args]),
};
const surroundings: WorkerSurroundings = {
  dumps: (value) => ajson.dumps(value, { tags: 'keep' }),
  storeArguments: async (task, { isInline, signal: stop }) => {
    calls.push(['store', isInline, stop]);
    return ajson.dumps(isInline ? task.task_kwargs : { pointer: 'p' });
  },
  writeText: async (value, stop) => {
    calls.push(['write', stop]);
    return ajson.dumps(value);
  },
  topics: topicArn,
  queues: undefined,
  maxMessageBytes: 1000,
};
const worker = workerGroups(groups, surroundings);

const split = { task_name: 'split', task_kwargs: {}, callback: 'report' };

function runOf({ stages = [] as string[], isDirect = false, message = split as object } = {}): TaskRun {
  const record = sqsRecord(message);
  const pipeline = openPipeline('sqs', [record]);
  for (const name of stages)
    addStage(pipeline, { name, order: { at: 'policy' }, passive: false, around: undefined });
  const context = Object.defineProperties(
    { invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:f' },
    stages.length > 0 ? pipelineProperty(pipeline) : {},
  );
  const run = { context, part: 0, outgoingAttributes: {}, signal, cutoff, report, result: undefined };
  const direct = { record: undefined, unwrap: () => ({ content: message, attributes: {} }) };
  return { ...run, ...(isDirect ? direct : { record, unwrap: () => unwrap(record) }) } as unknown as TaskRun;
}

describe('a branch', () => {
  test('joins with what it returned, or null', async () => {
    await worker.join(runOf(), ticket, 5);
    await worker.join(runOf(), ticket, undefined);
    expect(calls).toEqual([
      ['write', cutoff],
      ['join', ticket, { value: '5' }, { signal: cutoff, report }],
      ['write', cutoff],
      ['join', ticket, { value: 'null' }, { signal: cutoff, report }],
    ]);
  });

  test.each<[Failures, string[], boolean]>([
    ['wait', [], true],
    ['wait', ['other'], true],
    ['collect', ['failurePolicy'], true],
    ['fail', ['other', 'failurePolicy'], true],
    ['collect', [], false],
    ['fail', ['other'], false],
  ])('of a group with failures %j in a stack of %j is allowed: %p', async (given, stages, isAllowed) => {
    failures = given;
    const checked = worker.check(runOf({ stages }), ticket);
    if (isAllowed) await checked;
    else await expect(checked).rejects.toMatchObject({ code: 'GROUP_NEEDS_FAILURE_POLICY', retryable: true });
    expect(calls).toEqual([['read', ticket, { signal }]]);
  });

  test('that is invoked directly needs no failurePolicy', async () => {
    failures = 'fail';
    await worker.check(runOf({ isDirect: true }), ticket);
  });

  test('that has failed tells its group the error and the task, if the group asks for that', async () => {
    const error = Object.assign(new TypeError('x'.repeat(5000)), { code: 'E' });
    await worker.fail(runOf(), ticket, error, split);
    await worker.fail(runOf(), ticket, new GroupError('BAD_TICKET', 'no'), split);
    expect(calls).toEqual([['read', ticket, { signal: cutoff, report }]]);
    failures = 'collect';
    await worker.fail(runOf(), ticket, error, split);
    expect(calls.at(-1)).toEqual([
      'join',
      ticket,
      {
        error: ajson.dumps({ name: 'TypeError', message: 'x'.repeat(4096), code: 'E' }),
        task: ajson.dumps(split),
      },
      { signal: cutoff, report },
    ]);
  });
});

describe('a message to gather', () => {
  test.each([
    [{ a: 1 }, '{"a":1}'],
    [{}, 'null'],
    [undefined, 'null'],
    [null, 'null'],
  ])('with the arguments %j is the result %s', async (task_kwargs, value) => {
    await worker.gather(runOf(), ticket, { task_name: 'gather', task_kwargs } as never);
    expect(calls).toEqual([['join', ticket, { value }, { signal: cutoff, report }]]);
  });

  test('may be a pointer, which must be valid', async () => {
    const pointer = (text: string) => JSON.parse(ajson.dumps(new StoredData({ pointer: text })));
    await worker.gather(runOf(), ticket, { task_name: 'gather', task_kwargs: pointer('b#cache/x!1.json') });
    expect(calls).toHaveLength(1);
    const bad = worker.gather(runOf(), ticket, { task_name: 'gather', task_kwargs: pointer('nonsense') });
    await expect(bad).rejects.toMatchObject({ code: 'BAD_POINTER', path: '$.task_kwargs' });
    expect(calls).toHaveLength(1);
  });

  test('closes a group at its deadline', async () => {
    await worker.close(runOf(), group);
    expect(calls).toEqual([['close', group, { signal: cutoff, report }]]);
  });
});

describe('a group that a task returns', () => {
  const branches = [{ task_name: 'thumb', task_kwargs: { a: 1 } }];
  const splitting = async (run: TaskRun, options: object = {}) => {
    const fan = fanOut(branches, { then: 'album', ...options }) as FanOut;
    await worker.split(run, fan, split);
    return prepared as NonNullable<typeof prepared>;
  };

  test('is sent once for each message, and its ids are the result', async () => {
    const run = runOf();
    const { settings, messages } = await splitting(run);
    expect(run.result).toEqual({ groupId: group, chainId: expect.any(String) });
    expect(settings).toMatchObject({
      then: { taskName: 'album', topicArn: topicArn('album'), callback: 'report' },
      failures: 'wait',
      results: 'values',
      maxBytes: 67_108_864,
      attributes: { group_id: group, chain_id: expect.any(String) },
    });
    expect(settings).not.toHaveProperty('onError');
    expect(settings).not.toHaveProperty('deadlineSeconds');
    expect(messages).toMatchObject([{ index: 0, topicArn: topicArn('thumb') }]);
    expect(JSON.parse(String(messages[0]?.message))).toEqual({
      ...branches[0],
      callback: `gather#${formatTicket({ ...ticket, count: 1 })}`,
    });
    await splitting(run);
    await splitting(runOf());
    const hashes = calls.filter(([name]) => name === 'start').map(([, hash]) => hash);
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[2]).not.toBe(hashes[0]);
    expect((await splitting(run, { maxBytes: 5 })).settings.maxBytes).toBe(5);
  });

  test.each<[Failures | undefined, object, object | undefined]>([
    [undefined, { on_error: 'cleanup' }, undefined],
    // Each branch that fails tells the error task itself.
    ['wait', { on_error: 'cleanup' }, undefined],
    // The group does.
    ['fail', {}, { taskName: 'cleanup', topicArn: topicArn('cleanup') }],
  ])('with failures %j has its error task with %j', async (given, branch, onError) => {
    const { settings } = await splitting(runOf(), { failures: given, onError: 'cleanup' });
    expect(settings.branchAttributes).toEqual({ chain_id: expect.any(String), ...branch });
    expect(settings.onError).toEqual(onError);
  });

  test.each([
    [{ invokedFunctionArn: 'arn:aws:lambda:eu-west-1:1:function:f' }, 'arn:aws:sns:eu-west-1:1:thumb'],
    // The queue of the record.
    [undefined, topicArn('thumb')],
  ])('has its topics beside the function or its queue: %j', async (context, expected) => {
    const beside = workerGroups(groups, { ...surroundings, topics: undefined });
    const fan = fanOut(branches, { then: 'album' }) as FanOut;
    await beside.split({ ...runOf(), context } as unknown as TaskRun, fan, split);
    expect(prepared?.messages.map(({ topicArn: arn }) => arn)).toEqual([expected]);
  });

  test('has large arguments stored', async () => {
    const large = [{ task_name: 'thumb', task_kwargs: { text: 'x'.repeat(2000) } }];
    await worker.split(runOf(), fanOut(large, { then: 'album' }) as FanOut, split);
    expect(JSON.parse(String(prepared?.messages[0]?.message)).task_kwargs).toEqual({ pointer: 'p' });
    expect(calls.filter(([name]) => name === 'store')).toEqual([
      ['store', true, cutoff],
      ['store', false, cutoff],
    ]);
  });

  test('has its deadline at a standard queue', async () => {
    const settingsWith = async (
      queues: WorkerSurroundings['queues'],
      topics: WorkerSurroundings['topics'] = topicArn,
    ) => {
      const fan = fanOut(branches, { then: 'album', deadlineSeconds: 60 }) as FanOut;
      await workerGroups(groups, { ...surroundings, queues, topics }).split(runOf(), fan, split);
      return prepared?.settings;
    };
    expect(await settingsWith(undefined)).toMatchObject({
      deadlineSeconds: 60,
      gatherQueue: 'arn:aws:sqs:us-east-1:123456789012:gather',
    });
    const url = 'https://sqs.us-east-1.amazonaws.com/123456789012/joins';
    expect(await settingsWith({ gather: url })).toMatchObject({ gatherQueue: url });
    expect(await settingsWith({ gather: url }, knownTopics)).toMatchObject({ gatherQueue: url });
    await expect(settingsWith(undefined, knownTopics)).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' });
    await expect(settingsWith({ gather: `${url}.fifo` })).rejects.toMatchObject({ code: 'BAD_OPTION' });
  });

  const tasks = defineTasks({ thumb: { kwargs: z.object({ a: z.number() }) }, album: {} });

  test('has arguments that fit their definition', async () => {
    const { messages } = await splitting(runOf(), { tasks });
    expect(messages).toHaveLength(1);
  });

  test.each<[string, object | undefined, object, object]>([
    ['that are a list', [1], {}, { code: 'BAD_ARGUMENTS', path: '$.task_kwargs' }],
    [
      'that do not fit their definition',
      { a: 'x' },
      { tasks },
      { code: 'BAD_ARGUMENTS', path: '$.task_kwargs.a' },
    ],
    [
      'that are missing, although defined',
      undefined,
      { tasks },
      { code: 'BAD_ARGUMENTS', path: '$.task_kwargs.a' },
    ],
  ])('with arguments %s is refused, and nothing is stored', async (_, kwargs, options, expected) => {
    const bad = [...branches, { task_name: 'thumb', task_kwargs: kwargs }] as never;
    const fan = fanOut(bad, { then: 'album', ...options } as never) as FanOut;
    await expect(worker.split(runOf(), fan, split)).rejects.toMatchObject(expected);
    expect(calls.filter(([name]) => name === 'store')).toEqual([]);
  });

  test('whose second branch has no topic is refused, and nothing is stored', async () => {
    const fan = fanOut([...branches, { task_name: 'nowhere' }], { then: 'album' }) as FanOut;
    const limited = workerGroups(groups, { ...surroundings, topics: knownTopics });
    await expect(limited.split(runOf(), fan, split)).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' });
    expect(calls.filter(([name]) => name === 'store')).toEqual([]);
  });
});
