import { describe, expect, test } from '@jest/globals';
import { FanOut, fanOutNotSent } from '../../../core/groups/FanOutResult.ts';
import { fanOut } from '../../../core/groups/fanOut.ts';
import { GroupError } from '../../../core/groups/GroupError.ts';
import type { GroupAccess } from '../../../core/groups/groupAccess.ts';
import type { GroupSettings } from '../../../core/groups/plan.ts';
import { lateError } from '../../../core/groups/slot.ts';
import {
  assertTaskName,
  branchCallback,
  deadlineGroup,
  deadlineIn,
  deadlineMessageId,
  groupOf,
  parseTicket,
} from '../../../core/groups/ticket.ts';
import type { TaskMessage } from '../../../core/tasks/taskPublisher.ts';
import { memoryGroups } from '../../groups/memoryGroups.ts';
import { branches, hash, settings, group as someId } from '../../groups/scenarios.ts';

const createdAt = 1_700_000_000;
const failure = { error: '{"name":"Error","message":"no"}', task: '{"task_name":"thumb"}' };

/** A group in memory that has started, with what it reports and sends. */
async function started(count: number, over: Partial<GroupSettings> = {}, access: object = {}) {
  const facts: unknown[] = [];
  const memory = memoryGroups(access);
  const call = { report: (fact: unknown) => void facts.push(fact) };
  const prepare = async (id: string) => ({
    settings: { ...settings, ...over },
    messages: branches(id, count),
  });
  const { id } = await memory.groups.start(hash, prepare, call);
  const first = memory.sent.splice(0);
  const started = facts.splice(0);
  const join = (index: number, outcome: { value: string } | { error: string; task?: string }) =>
    memory.groups.join({ group: id, index, count }, outcome, call);
  const slot = (index: number) => memory.objects.get(`groups/${id}/s${index}!${createdAt}.json`);
  return { ...memory, id, join, slot, facts, first, started, call, prepare };
}

const bodiesOf = (sent: readonly TaskMessage[]) => sent.map(({ message }) => JSON.parse(message));
const pointerTo = (id: string, index: number) => ({
  _alg_class: 'StoredData',
  _alg_module: 'algernon.aws.snakes',
  value: { pointer: `b#groups/${id}/s${index}!${createdAt}.json` },
});

describe('a group whose branches succeed', () => {
  test.each([1, 2, 3, 5, 8])('of %i sends `then` once, after the last of them', async (count) => {
    const { id, join, sent, slot } = await started(count);
    const order = Array.from({ length: count }, (_, index) => (index * 3 + 1) % count);
    const all = count % 3 === 0 ? [2, 0, 1] : order;
    for (const [at, index] of all.entries()) {
      expect(sent).toHaveLength(0);
      await join(index, { value: String(index) });
      // A redelivery of a branch that is not the last one changes nothing.
      if (at < count - 1) await join(index, { value: '"other"' });
    }
    expect(bodiesOf(sent)).toEqual([
      {
        task_name: 'album',
        task_kwargs: { results: Array.from({ length: count }, (_, index) => pointerTo(id, index)) },
      },
    ]);
    expect(sent[0]).toMatchObject({ topicArn: 'album', subject: 'callback', attributes: { group_id: id } });
    expect(slot(0)).toBe('{"data_string":0,"full_unpack":true,"safe_mode":false}');
  });

  test('without branches sends `then` at once', async () => {
    const calls: number[] = [];
    const publish = async (messages: readonly TaskMessage[]) => {
      calls.push(messages.length);
      return messages.map(() => ({ messageId: 'm' }));
    };
    await started(0, {}, { publish });
    expect(calls).toEqual([1]);
    const { first, later } = await started(0);
    expect(bodiesOf(first)).toEqual([{ task_name: 'album', task_kwargs: { results: [] } }]);
    expect(later).toEqual([]);
  });

  test('gives pointers as texts if it is asked to, or if the results are too large', async () => {
    const texts = async (over: Partial<GroupSettings>) => {
      const { id, join, sent } = await started(2, over);
      for (const index of [0, 1]) await join(index, { value: '"12345"' });
      const [{ task_kwargs }] = bodiesOf(sent) as [{ task_kwargs: { results: unknown[] } }];
      return task_kwargs.results[1] === `b#groups/${id}/s1!${createdAt}.json`;
    };
    const bytes = 2 * '{"data_string":"12345","full_unpack":true,"safe_mode":false}'.length;
    expect(await texts({ results: 'pointers' })).toBe(true);
    expect(await texts({ maxBytes: bytes })).toBe(false);
    expect(await texts({ maxBytes: bytes - 1 })).toBe(true);
  });

  test('stores a result of more than 65,536 characters outside of its slot, and counts its bytes', async () => {
    const stored = async (length: number, maxBytes = 1e9) => {
      const { id, join, sent, slot, objects } = await started(1, { maxBytes });
      await join(0, { value: JSON.stringify('é'.repeat(length)) });
      const large = [...objects.keys()].filter((key) => key.startsWith(`groups/${id}/r0-`));
      const [{ task_kwargs }] = bodiesOf(sent) as [{ task_kwargs: { results: unknown[] } }];
      return { large, slot: slot(0) as string, isText: typeof task_kwargs.results[0] === 'string' };
    };
    expect((await stored(65_534)).large).toEqual([]);
    const { large, slot } = await stored(65_535);
    const bytes = 65_535 * 2 + 2 + '{"data_string":,"full_unpack":true,"safe_mode":false}'.length;
    expect(large).toEqual([expect.stringMatching(new RegExp(`/r0-name\\d+-${bytes}!${createdAt}\\.json$`))]);
    expect(JSON.parse(slot).data_string.value.pointer).toBe(`b#${large[0]}`);
    expect((await stored(65_535, bytes)).isText).toBe(false);
    expect((await stored(65_535, bytes - 1)).isText).toBe(true);
  });

  test('counts the bytes of a large result of any branch', async () => {
    const large = JSON.stringify('x'.repeat(70_000));
    const around = '{"data_string":,"full_unpack":true,"safe_mode":false}'.length;
    const bytes = large.length + around + 10 * (1 + around);
    const isText = async (maxBytes: number) => {
      const { join, sent } = await started(11, { maxBytes });
      for (let index = 0; index < 11; index += 1) await join(index, { value: index === 10 ? large : '1' });
      return typeof bodiesOf(sent)[0].task_kwargs.results[0] === 'string';
    };
    expect(await isText(bytes)).toBe(false);
    expect(await isText(bytes - 1)).toBe(true);
  });

  test('counts the bytes of a result that only looks like a pointer to a large one', async () => {
    const around = '{"data_string":,"full_unpack":true,"safe_mode":false}'.length;
    const value = JSON.stringify('#groups/a/r0-b-1!'.padEnd(1024 - around - 2, 'x'));
    const isText = async (maxBytes: number) => {
      const { join, sent } = await started(1, { maxBytes });
      await join(0, { value });
      return typeof bodiesOf(sent)[0].task_kwargs.results[0] === 'string';
    };
    expect(await isText(1024)).toBe(false);
    expect(await isText(1023)).toBe(true);
  });

  test('gives up to 4,000 results as values', async () => {
    const isText = async (count: number) => {
      const { join, sent } = await started(count, {}, { maxMessageBytes: 10_000_000 });
      await Promise.all(Array.from({ length: count }, (_, index) => join(index, { value: '1' })));
      return typeof bodiesOf(sent)[0].task_kwargs.results[0] === 'string';
    };
    expect(await isText(4000)).toBe(false);
    expect(await isText(4001)).toBe(true);
  });

  test('stores arguments that leave less than 16,384 bytes of the message', async () => {
    const kwargsWith = async (maxMessageBytes: number) => {
      const { id, join, sent, objects } = await started(1, {}, { maxMessageBytes });
      await join(0, { value: '1' });
      return { id, objects, kwargs: bodiesOf(sent)[0].task_kwargs };
    };
    const { kwargs } = await kwargsWith(262_144);
    const least = JSON.stringify(kwargs).length + 16_384;
    expect((await kwargsWith(least)).kwargs).toEqual(kwargs);
    const { id, objects, kwargs: stored } = await kwargsWith(least - 1);
    const key = `groups/${id}/results!${createdAt}.json`;
    expect(stored.value).toEqual({ pointer: `b#${key}` });
    expect(JSON.parse(objects.get(key) as string).data_string).toEqual(kwargs);
  });

  test('has no mark of its end without a deadline', async () => {
    const { id, join, objects } = await started(1);
    await join(0, { value: '1' });
    expect(objects.has(`groups/${id}/done`)).toBe(false);
  });

  test('reports its messages, branches and chain', async () => {
    let now = createdAt * 1000;
    const {
      id,
      join,
      facts,
      started: reported,
    } = await started(2, { attributes: { chain_id: 'c' } }, { now: () => now++ });
    const chained = { type: 'published', chainId: 'c', durationMillis: 1 };
    expect(reported).toEqual([
      {
        ...chained,
        messages: [0, 1].map((index) => ({
          messageId: `sns-${index}`,
          role: 'branch',
          taskName: 'thumb',
          callback: `gather#g-${id}-${index}-of-2`,
          group: { id, of: 2, index },
        })),
      },
    ]);
    await join(1, { value: '1' });
    expect(facts.splice(0)).toEqual([{ type: 'joined', chainId: 'c', group: { id, of: 2, index: 1 } }]);
    await join(0, { value: '1' });
    expect(facts).toEqual([
      { type: 'joined', chainId: 'c', group: { id, of: 2, index: 0 } },
      {
        ...chained,
        messages: [{ messageId: 'sns-0', role: 'join', taskName: 'album', group: { id, of: 2 } }],
      },
    ]);
  });

  test('reports the messages that were sent, and fails with the error of another one', async () => {
    const facts: object[] = [];
    const { groups } = memoryGroups({
      publish: async (messages) =>
        messages.map((_, index) =>
          index === 1
            ? { error: new Error('refused') }
            : { messageId: index === 2 ? undefined : `m${index}` },
        ),
    });
    const prepare = async (id: string) => ({ settings, messages: branches(id, 4) });
    await expect(groups.start(hash, prepare, { report: (fact) => facts.push(fact) })).rejects.toThrow(
      'refused',
    );
    expect(facts).toEqual([
      expect.objectContaining({
        messages: [
          expect.objectContaining({ messageId: 'm0' }),
          expect.objectContaining({ messageId: 'm3' }),
        ],
      }),
    ]);
    expect(facts[0]).not.toHaveProperty('chainId');
    const down = memoryGroups({
      publish: async (messages) => messages.map(() => ({ error: new Error('no') })),
    });
    facts.length = 0;
    await expect(down.groups.start(hash, prepare, { report: (fact) => facts.push(fact) })).rejects.toThrow(
      'no',
    );
    expect(facts).toEqual([]);
  });
});

describe('a branch that fails', () => {
  test('is among the results if the group collects', async () => {
    const { id, join, sent, slot, facts, warnings } = await started(2, { failures: 'collect' });
    await join(0, failure);
    await join(1, { value: '{"error":1}' });
    expect(slot(0)).toBe(`{"data_string":{"error":${failure.error}},"full_unpack":true,"safe_mode":false}`);
    expect(slot(1)).toBe('{"data_string":{"value":{"error":1}},"full_unpack":true,"safe_mode":false}');
    expect(facts.slice(0, 2)).toMatchObject([
      { type: 'joined', group: { index: 0 }, isError: true },
      { type: 'joined', group: { index: 1 } },
    ]);
    expect(facts[1]).not.toHaveProperty('isError');
    expect(bodiesOf(sent)).toMatchObject([
      { task_kwargs: { results: [pointerTo(id, 0), pointerTo(id, 1)] } },
    ]);
    // A redelivery of each.
    await join(0, failure);
    await join(1, { value: '{"error":1}' });
    expect(warnings).toEqual([]);
    await join(0, { value: '1' });
    expect(warnings).toEqual([
      `Branch 0 of the group ${id} has a result, but its group has recorded a failure before, and keeps it.`,
    ]);
  });

  test('that returns what a deadline records has succeeded in a group that fails', async () => {
    const { join, facts, sent } = await started(1, { failures: 'fail' });
    await join(0, { value: `{"error":${lateError(60)}}` });
    expect(facts[0]).not.toHaveProperty('isError');
    expect(bodiesOf(sent)).toMatchObject([{ task_name: 'album' }]);
  });

  test('that returns { error } has succeeded in a group that waits', async () => {
    const { join, facts } = await started(1);
    await join(0, { value: '{"error":{"name":"Error","message":"no"}}' });
    expect(facts[0]).not.toHaveProperty('isError');
  });

  test('tells the error task of a group that fails, once, and `then` is not sent', async () => {
    const onError = { taskName: 'tell', topicArn: 'errors', callback: 'tell#more' };
    const over = { failures: 'fail', onError, attributes: { a: '1' } } as const;
    const { id, join, sent, slot, objects, facts } = await started(2, over);
    await join(1, failure);
    expect(slot(1)).toBe(`{"failure":{"error":${failure.error},"task":${failure.task}}}`);
    expect(bodiesOf(sent)).toEqual([
      {
        task_name: 'tell',
        task_kwargs: { error: JSON.parse(failure.error), task: JSON.parse(failure.task) },
        callback: 'tell#more',
      },
    ]);
    expect(sent[0]).toMatchObject({
      topicArn: 'errors',
      deduplicationId: `${id}.error`,
      attributes: { a: '1' },
    });
    expect(sent[0]?.attributes).not.toHaveProperty('group_id');
    expect(objects.get(`groups/${id}/failed`)).toBe('1');
    expect(objects.get(`groups/${id}/done`)).toBe('{}');
    expect(facts).toMatchObject([
      { type: 'joined', group: { index: 1 }, isError: true },
      { type: 'published', messages: [{ role: 'error' }] },
    ]);
    facts.length = 0;
    // A redelivery of the first failure, and a second failure.
    await join(1, failure);
    expect(facts.at(-1)).toEqual({ type: 'joined', group: { id, of: 2 } });
    await join(0, { error: failure.error });
    expect(slot(0)).toBe(`{"failure":{"error":${failure.error}}}`);
    expect(sent).toHaveLength(1);
  });

  test('ends a group without an error task silently', async () => {
    const { id, join, sent, facts } = await started(1, { failures: 'fail' });
    await join(0, failure);
    expect(sent).toEqual([]);
    expect(facts.at(-1)).toEqual({ type: 'joined', group: { id, of: 1 } });
    expect(Object.keys((facts.at(-1) as { group: object }).group)).toEqual(['id', 'of']);
  });

  test.each(['wait', 'collect', 'fail'] as const)(
    'fails the group around its own, unless that one waits: %s',
    async (failures) => {
      const { objects, groups, prepare } = await started(1, { failures });
      const outer = [...objects.keys()][0]?.split('/')[1] === hash;
      expect(outer).toBe(true);
      const { id: outerId } = await groups.start(hash, prepare);
      const callback = `gather#g-${outerId}-0-of-1`;
      const inner = await groups.start('0'.repeat(15), async (id) => ({
        settings: { ...settings, failures: 'fail', then: { ...settings.then, callback } },
        messages: branches(id, 1),
      }));
      await groups.join({ group: inner.id, index: 0, count: 1 }, failure);
      const slot = objects.get(`groups/${outerId}/s0!${createdAt}.json`);
      if (failures === 'wait') expect(slot).toBeUndefined();
      else expect(slot).toContain(`{"error":${failure.error}}`);
      expect(objects.has(`groups/${inner.id}/done`)).toBe(true);
    },
  );
});

describe('the deadline of a group', () => {
  test.each(['wait', 'collect', 'fail'] as const)('gives up the missing branches: %s', async (failures) => {
    let now = createdAt * 1000;
    const onError = { taskName: 'tell', topicArn: 'errors' };
    const { id, join, groups, sent, slot, objects, facts, call } = await started(
      3,
      { failures, deadlineSeconds: 60, ...(failures === 'fail' && { onError }) },
      { now: () => now },
    );
    await join(1, { value: '1' });
    now += 58_000;
    await groups.close(id, call);
    expect(JSON.stringify([slot(0), slot(2)])).toContain('within 60 seconds.');
    const error = lateError(60);
    expect(JSON.parse(error)).toEqual({
      name: 'GroupError',
      code: 'GROUP_DEADLINE',
      message: 'The branch had no outcome within 60 seconds.',
    });
    if (failures === 'fail') {
      expect(slot(0)).toBe(`{"failure":{"error":${error}}}`);
      expect(slot(2)).toBeUndefined();
      expect(bodiesOf(sent)).toEqual([{ task_name: 'tell', task_kwargs: { error: JSON.parse(error) } }]);
      // The branch that succeeded, and the first that failed.
      expect(facts.map((fact) => (fact as { type: string }).type)).toEqual(['joined', 'joined', 'published']);
    } else {
      expect(JSON.parse(slot(2) as string).data_string).toEqual({ error: JSON.parse(error) });
      expect(bodiesOf(sent)).toMatchObject([{ task_name: 'album' }]);
      expect(facts.filter((fact) => (fact as { isError?: boolean }).isError)).toHaveLength(2);
    }
    expect(objects.get(`groups/${id}/done`)).toBe('{}');
    sent.length = 0;
    await groups.close(id);
    expect(sent).toEqual([]);
  });

  test('of a group without branches fills no slot', async () => {
    const { id, groups, objects, sent } = await started(0, { deadlineSeconds: 1 });
    // The sender was killed before it could mark the end.
    objects.delete(`groups/${id}/done`);
    await groups.close(id);
    expect([...objects.keys()]).toEqual([`groups/${hash}/plan`]);
    expect(sent).toEqual([]);
  });

  test.each([
    ['wait', 4],
    ['collect', 4],
    ['fail', 1],
  ] as const)('with failures %s fills %i slots at the same time', async (failures, expected) => {
    const objects = new Map<string, string>();
    const { read, create } = storeOf(objects);
    let underWay = 0;
    let most = 0;
    const store: GroupAccess['store'] = {
      read,
      async create(address, text) {
        const isSlot = address.key.includes('/s');
        if (isSlot) underWay += 1;
        most = Math.max(most, underWay);
        await new Promise(setImmediate);
        if (isSlot) underWay -= 1;
        return create(address, text);
      },
    };
    const { id, groups } = await started(10, { failures, deadlineSeconds: 1 }, { store, concurrency: 4 });
    most = 0;
    await groups.close(id);
    expect(most).toBe(expected);
  });

  test('of a group that fails goes on after a branch that was killed between its result and its node', async () => {
    const onError = { taskName: 'tell', topicArn: 'errors' };
    const over = { failures: 'fail', deadlineSeconds: 1, onError } as const;
    const { id, groups, objects, slot, sent } = await started(2, over);
    objects.set(
      `groups/${id}/s0!${createdAt}.json`,
      '{"data_string":1,"full_unpack":true,"safe_mode":false}',
    );
    await groups.close(id);
    expect(slot(1)).toContain('GROUP_DEADLINE');
    expect(bodiesOf(sent)).toMatchObject([{ task_name: 'tell' }]);
    expect([...objects.keys()].filter((key) => key.includes('/s'))).toHaveLength(2);
  });

  test('is sent again when it comes more than two seconds early', async () => {
    let now = createdAt * 1000;
    const { id, groups, later, slot } = await started(1, { deadlineSeconds: 2000 }, { now: () => now });
    expect(later).toEqual([{ callback: `gather#g-${id}-deadline`, seconds: 900 }]);
    now += 1_997_999;
    await groups.close(id);
    expect(later.at(-1)?.seconds).toBe(3);
    expect(slot(0)).toBeUndefined();
    now += 1;
    await groups.close(id);
    expect(slot(0)).toBeDefined();
    expect(later).toHaveLength(2);
  });

  test('of a group without one is refused', async () => {
    const { id, groups, objects } = await started(1);
    await expect(groups.close(id)).rejects.toMatchObject({ code: 'BAD_TICKET', path: '$.callback' });
    expect(objects.has(`groups/${id}/done`)).toBe(false);
  });

  test('must be before the group expires', async () => {
    const within = (deadlineSeconds: number) => started(1, { deadlineSeconds }, { expirySeconds: 100 });
    await expect(within(100)).rejects.toMatchObject({ code: 'BAD_OPTION' });
    await within(99);
  });

  test('finds the branch that failed first and was killed before it could tell', async () => {
    let now = createdAt * 1000;
    const onError = { taskName: 'tell', topicArn: 'errors' };
    const { id, groups, sent, objects, slot } = await started(
      2,
      { failures: 'fail', deadlineSeconds: 60, onError },
      { now: () => now },
    );
    objects.set(`groups/${id}/s1!${createdAt}.json`, `{"failure":{"error":${failure.error}}}`);
    objects.set(`groups/${id}/failed`, '1');
    now += 60_000;
    await groups.close(id);
    expect(bodiesOf(sent)).toEqual([
      { task_name: 'tell', task_kwargs: { error: JSON.parse(failure.error) } },
    ]);
    expect(slot(0)).toContain('GROUP_DEADLINE');
  });
});

describe('a plan', () => {
  const open = async (length: number, count = 1) => {
    const { objects, groups } = memoryGroups();
    const messages = (id: string) =>
      branches(id, count).map((branch, index) =>
        index === 0 ? { ...branch, message: `{"task_name":"${'x'.repeat(length)}"}` } : branch,
      );
    const plan = await groups.start(hash, async (id) => ({ settings, messages: messages(id) }));
    return { plan, objects };
  };

  test('holds its branches up to 8,192 characters, and is the head of chunks beyond', async () => {
    const overhead = JSON.stringify([{ index: 0, topicArn: 'thumb', message: '{"task_name":""}' }]).length;
    const inline = await open(8192 - overhead);
    expect(inline.plan.branches).toHaveLength(1);
    expect([...inline.objects.keys()]).toEqual([`groups/${hash}/plan`]);
    const { plan, objects } = await open(8193 - overhead);
    expect(plan.branches).toEqual({ name: expect.any(String), chunks: 1 });
    expect(JSON.parse(objects.get(`groups/${hash}/plan`) as string)).toMatchObject({
      version: 1,
      count: 1,
      bucket: 'b',
      createdAt: createdAt * 1000,
    });
  });

  test('has chunks of 1,000 messages and 4 MiB of text', async () => {
    expect((await open(1, 1000)).plan.branches).toMatchObject({ chunks: 1 });
    expect((await open(1, 1001)).plan.branches).toMatchObject({ chunks: 2 });
    const rest = branches(someId, 2)[1]?.message.length as number;
    const exact = 4_194_304 - rest - '{"task_name":""}'.length;
    expect((await open(exact, 2)).plan.branches).toMatchObject({ chunks: 1 });
    expect((await open(exact + 1, 2)).plan.branches).toMatchObject({ chunks: 2 });
    expect((await open(4_194_305, 1)).plan.branches).toMatchObject({ chunks: 1 });
    expect((await open(4_194_305, 3)).plan.branches).toMatchObject({ chunks: 2 });
  });

  test('is not made again by a redelivery', async () => {
    const { id, groups, sent } = await started(2);
    const again = await groups.start(hash, () => Promise.reject(new Error('prepared twice')));
    expect(again.id).toBe(id);
    expect(sent.map(({ deduplicationId }) => deduplicationId)).toEqual([`${id}.0`, `${id}.1`]);
  });

  test('of a faster delivery counts, and so do its chunks that were sent', async () => {
    const { groups, sent } = memoryGroups();
    const prepare = async (id: string) => ({ settings, messages: branches(id, 2001) });
    await groups.start(hash, async (id) => {
      await groups.start(hash, prepare);
      sent.length = 0;
      return prepare(id);
    });
    expect(sent).toHaveLength(1);
  });

  test('goes on after the chunks that were sent', async () => {
    const { groups, objects, id, sent, reads } = await started(2500);
    expect([...objects.keys()].filter((key) => key.includes('/sent-'))).toEqual([
      `groups/${id}/sent-0`,
      `groups/${id}/sent-1`,
    ]);
    expect(objects.get(`groups/${id}/sent-0`)).toBe('{}');
    expect(reads.filter((key) => key.includes('/sent-'))).toEqual([]);
    objects.delete(`groups/${id}/sent-1`);
    await groups.start(hash, () => Promise.reject(new Error('prepared twice')));
    expect(sent[0]?.deduplicationId).toBe(`${id}.1000`);
    // The last chunk has no mark: the acknowledgement of the message is its mark.
    expect(reads.filter((key) => key.includes('/sent-'))).toEqual(
      [0, 1].map((at) => `groups/${id}/sent-${at}`),
    );
    expect(sent).toHaveLength(1500);
  });

  test.each<[string, object | string]>([
    ['another version', { version: 2, count: 1 }],
    ['a count that is no number', { count: '1' }],
    ['too many branches', { count: 100_001 }],
    ['an id that is no text', { id: 1 }],
    ['no JSON', 'x'],
    ['null', 'null'],
  ])('with %s is corrupt', async (_, change) => {
    const { objects, groups, id } = await started(1);
    const key = `groups/${hash}/plan`;
    const plan = JSON.parse(objects.get(key) as string);
    objects.set(key, typeof change === 'string' ? change : JSON.stringify({ ...plan, ...change }));
    const fresh = memoryGroups({ store: storeOf(objects) }).groups;
    await expect(fresh.read({ group: id, index: 0, count: 1 })).rejects.toMatchObject({
      name: 'GroupError',
      code: 'GROUP_CORRUPT',
      retryable: false,
    });
    // The plan that was read before is kept.
    await groups.read({ group: id, index: 0, count: 1 }).catch(() => {});
  });

  test('is refused from when it expires', async () => {
    let now = createdAt * 1000;
    const { groups, id } = await started(1, {}, { now: () => now, expirySeconds: 100 });
    const read = () => groups.read({ group: id, index: 0, count: 1 });
    now += 99_999;
    await read();
    now += 1;
    await expect(read()).rejects.toMatchObject({ code: 'GROUP_EXPIRED' });
  });

  test('fits its tickets only', async () => {
    const { groups, id, objects } = await started(2);
    expect(await groups.read({ group: id, index: 1, count: 2 })).toMatchObject({ id, count: 2 });
    for (const ticket of [
      { group: id, index: 2, count: 2 },
      { group: id, index: 0, count: 3 },
      { group: `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`, index: 0, count: 2 },
    ]) {
      await expect(groups.read(ticket)).rejects.toMatchObject({ code: 'BAD_TICKET' });
    }
    const elsewhere = memoryGroups({ store: storeOf(objects), bucket: () => 'other' }).groups;
    await expect(elsewhere.read({ group: id, index: 0, count: 2 })).rejects.toMatchObject({
      code: 'BAD_TICKET',
    });
    const other = memoryGroups({ now: () => createdAt * 1000 }).groups;
    await expect(other.read({ group: id, index: 0, count: 2 })).rejects.toMatchObject({
      code: 'GROUP_NOT_FOUND',
    });
  });

  test('is read once for all tickets, and again after a hundred others', async () => {
    const { objects, reads, groups } = memoryGroups();
    const ids: string[] = [];
    for (let at = 0; at < 101; at++) {
      const name = String(at).padStart(15, '0');
      const { id } = await groups.start(name, async (made) => ({ settings, messages: branches(made, 1) }));
      ids.push(id);
    }
    const { groups: fresh, reads: freshReads } = memoryGroups({ store: storeOf(objects, reads) });
    reads.length = 0;
    const read = (at: number) => fresh.read({ group: ids[at] as string, index: 0, count: 1 });
    for (let at = 0; at < 100; at++) await read(at);
    for (let at = 0; at < 100; at++) await read(at);
    expect(reads).toHaveLength(100);
    await read(100);
    await read(0);
    expect(reads).toHaveLength(102);
    expect(freshReads).toEqual([]);
  });
});

/** A store over the objects of another one. */
function storeOf(objects: Map<string, string>, reads: string[] = []) {
  return {
    async read({ key }: { key: string }) {
      reads.push(key);
      const text = objects.get(key);
      return text === undefined ? undefined : { text, version: 'v' };
    },
    async create({ key }: { key: string }, text: string) {
      if (objects.has(key)) return undefined;
      objects.set(key, text);
      return 'v';
    },
  };
}

describe('an object of a group', () => {
  const store = async (text: string | undefined, key: (id: string) => string, over: object = {}) => {
    const { groups, id, objects } = await started(2, over);
    if (text !== undefined) objects.set(key(id), text);
    return { groups, id, objects };
  };
  const slotKey = (id: string) => `groups/${id}/s0!${createdAt}.json`;
  const nodeKey = (id: string) => `groups/${id}/n1-0`;

  test.each([
    ['null', slotKey],
    ['5', slotKey],
    ['"text"', slotKey],
    ['null', nodeKey],
    ['{"side":2,"bytes":1}', nodeKey],
    ['{"side":"0","bytes":1}', nodeKey],
    ['{"side":1,"bytes":"1"}', nodeKey],
    ['{"side":0}', nodeKey],
  ])('is corrupt with the content %s', async (text, key) => {
    const { groups, id } = await store(text, key);
    const joining = groups.join({ group: id, index: 0, count: 2 }, { value: '1' });
    await expect(joining).rejects.toMatchObject({ code: 'GROUP_CORRUPT' });
  });

  test.each(['plan', 's0', 'n1-0', 'failed'])(
    '%s that exists and cannot be read is retryable',
    async (name) => {
      const { id, objects } = await started(2, { failures: name === 'failed' ? 'fail' : 'wait' });
      const { read, create } = storeOf(objects);
      const denied = memoryGroups({
        store: {
          read: async (address) => (address.key.includes(`/${name}`) ? undefined : read(address)),
          create: async (address, text) =>
            address.key.includes(`/${name}`) ? undefined : create(address, text),
        },
      }).groups;
      const prepare = async (group: string) => ({ settings, messages: branches(group, 2) });
      const outcome = name === 'failed' ? failure : { value: '1' };
      const working =
        name === 'plan'
          ? denied.start(hash, prepare)
          : denied.join({ group: id, index: 0, count: 2 }, outcome);
      await expect(working).rejects.toMatchObject({ code: 'GROUP_UNREADABLE', retryable: true });
    },
  );

  test('that holds branches and cannot be read is retryable', async () => {
    const { objects } = await started(1001);
    for (const key of objects.keys()) if (key.includes('/tasks-')) objects.delete(key);
    const { groups } = memoryGroups({ store: storeOf(objects) });
    const again = groups.start(hash, () => Promise.reject(new Error('prepared twice')));
    await expect(again).rejects.toMatchObject({ code: 'GROUP_UNREADABLE' });
  });
});

describe('the names of a group', () => {
  test('are those of its tickets and messages', () => {
    expect(parseTicket(`g-${someId}-10-of-100000`)).toEqual({ group: someId, index: 10, count: 100_000 });
    expect(deadlineMessageId(someId)).toBe(`${someId}.deadline`);
    expect(deadlineGroup(`${someId}.deadline`)).toBe(someId);
    for (const id of [`x${someId}.deadline`, `${someId}.deadline2`, `${someId}xdeadline`, someId]) {
      expect(deadlineGroup(id)).toBeUndefined();
    }
    expect(deadlineIn(`a#gather#g-${someId}-deadline`)).toBe(someId);
    for (const callback of [
      `g-${someId}-deadline`,
      `gather#g-${someId}-deadlines`,
      `gather#xg-${someId}-deadline`,
      1,
    ]) {
      expect(deadlineIn(callback)).toBeUndefined();
    }
    expect(groupOf({ group_id: someId })).toBe(someId);
    for (const id of [`${someId}0`, `0${someId}`, '']) expect(groupOf({ group_id: id })).toBeUndefined();
    expect(groupOf({})).toBeUndefined();
  });

  test('are refused as names of tasks', () => {
    for (const name of ['gather', `g-${someId}-0-of-2`, `g-${someId}-deadline`, 'g--of-1', 'g-a-of-10']) {
      expect(() => assertTaskName(name)).toThrow('names like those of tickets are used by groups');
    }
    for (const name of ['gathers', 'xg-a-of-1', 'g-a-of-', 'g-a-of-1x', 'g-a-deadline1', 'of-1'])
      assertTaskName(name);
    for (const name of ['', 'a b', 'ä']) {
      expect(() => assertTaskName(name)).toThrow('it is not the name of a task');
    }
  });

  test('follow the chain of a branch', () => {
    const ticket = { group: someId, index: 0, count: 2 };
    expect(branchCallback({ task_name: 'a' }, ticket)).toBe(`gather#g-${someId}-0-of-2`);
    expect(branchCallback({ task_name: 'a', callback: 'a#b' }, ticket)).toBe(`a#b#gather#g-${someId}-0-of-2`);
    expect(() => branchCallback({ task_name: 'a', callback: 'b c' }, ticket)).toThrow('b c');
  });

  test('are the path of its errors', () => {
    expect(new GroupError('A', 'b')).toMatchObject({ name: 'GroupError', code: 'A', path: '$.callback' });
    expect(new GroupError('A', 'b', { path: '$.x' }).path).toBe('$.x');
    expect(fanOutNotSent()).toMatchObject({ code: 'FAN_OUT_NOT_SENT', retryable: true });
    const group = fanOut([{ task_name: 'a', task_kwargs: {} }], { then: 'b' });
    expect(() => JSON.stringify(group)).toThrow('nothing has sent its branches');
  });
});

describe('fanOut', () => {
  const branch = { task_name: 'a', task_kwargs: {} };
  const refused = (tasks: unknown, options: object) => () => fanOut(tasks as never, options as never);

  test.each<[string, unknown, object]>([
    ['fanOut: the tasks must be a list.', {}, { then: 'b' }],
    [
      'fanOut: a group has at most 100000 branches, not 100001.',
      Array.from({ length: 100_001 }, () => branch),
      { then: 'b' },
    ],
    ['fanOut: then is missing, the name of a task.', [], {}],
    ['fanOut: tasks[1] must be a task with a task_name.', [branch, {}], { then: 'b' }],
    ['fanOut: failures must be wait or collect or fail', [], { then: 'b', failures: 'no' }],
    ['fanOut: results must be values or pointers', [], { then: 'b', results: 'no' }],
    ['fanOut: onError must be the name of a task', [], { then: 'b', onError: '' }],
    ['fanOut: then must be the name of a task', [], { then: '' }],
    ['fanOut: maxBytes must be a whole number from 1', [], { then: 'b', maxBytes: 0 }],
    [
      'fanOut: deadlineSeconds must be a number of seconds from 1 to 1209600',
      [],
      { then: 'b', deadlineSeconds: 1_209_601 },
    ],
    ['fanOut: tasks must be an object', [], { then: 'b', tasks: 1 }],
    ['fanOut: with failures "collect"', [], { then: 'b', failures: 'collect', onError: 'c' }],
    ['names like those of tickets', [], { then: 'gather' }],
    ['names like those of tickets', [], { then: 'b', onError: 'gather' }],
    ['names like those of tickets', [{ ...branch, callback: 'a#gather' }], { then: 'b' }],
    ['names like those of tickets', [{ ...branch, task_name: 'gather' }], { then: 'b' }],
    ['is not the name of a task', [{ ...branch, callback: 'a b' }], { then: 'b' }],
    ['it would never end', [{ ...branch, callback: 'b#c#b' }], { then: 'b' }],
  ])('refuses a group: %s', (message, tasks, options) => {
    expect(refused(tasks, options)).toThrow(message);
  });

  test('takes 100,000 branches, and collects without an error task', () => {
    const tasks = Array.from({ length: 100_000 }, () => branch);
    expect(fanOut(tasks, { then: 'b', failures: 'collect' }).tasks).toHaveLength(100_000);
  });

  test('gives a group that another copy of this package recognises, and recognises its own', () => {
    const brand = Symbol.for('algernon-middy.FanOut');
    expect(Reflect.get(fanOut([], { then: 'b' }), brand)).toBe(true);
    expect(fanOut([], { then: 'b' }) instanceof FanOut).toBe(true);
    expect(({ [brand]: true } as unknown) instanceof FanOut).toBe(true);
    for (const other of [undefined, null, 5, {}, { [brand]: false }, { tasks: [], options: {} }]) {
      expect((other as unknown) instanceof FanOut).toBe(false);
    }
  });

  test('keeps a copy of the branches, and the options', () => {
    const tasks = [branch];
    const options = { then: 'b', failures: 'fail', onError: 'c' } as const;
    const group = fanOut(tasks, options);
    tasks.push(branch);
    expect(group.tasks).toEqual([branch]);
    expect(group.options).toEqual(options);
    expect(Object.keys(group)).toEqual(['tasks', 'options']);
  });
});

test('each call to the store and to topics has the signal of its task, and reads are bounded', async () => {
  const { signal } = new AbortController();
  const without = new Set<string>();
  const bounds: Record<string, number> = {};
  const nameIn = (key: string) => (key.split('/').at(-1) ?? '').replace(/[-\d].*$/, '');
  const { objects } = memoryGroups();
  let now = createdAt * 1000;
  let isRaced = false;
  const store: GroupAccess['store'] = {
    async read({ key }, options) {
      if (options.signal !== signal) without.add(`read ${nameIn(key)}`);
      bounds[nameIn(key)] = options.maxBytes;
      const text = objects.get(key);
      return text === undefined ? undefined : { text, version: 'v' };
    },
    async create({ key }, text, options) {
      if (options?.signal !== signal) without.add(`create ${nameIn(key)}`);
      const isFirst = !objects.has(key);
      if (isFirst) objects.set(key, text);
      // As if another delivery had been faster.
      return isFirst && !isRaced ? 'v' : undefined;
    },
  };
  const { groups } = memoryGroups({
    store,
    now: () => now,
    maxMessageBytes: 16_500,
    async publish(messages, stop) {
      if (stop !== signal) without.add('publish');
      return messages.map(() => ({ messageId: 'm' }));
    },
  });
  const call = { signal };
  const start = (name: string, count: number, over: Partial<GroupSettings> = {}) =>
    groups.start(
      name.padStart(15, '0'),
      async (id) => ({ settings: { ...settings, ...over }, messages: branches(id, count) }),
      call,
    );
  const large = { value: JSON.stringify('x'.repeat(70_000)) };
  for (const race of [false, true]) {
    isRaced = race;
    const chunked = await start(`1${race}`.slice(0, 2), 1001);
    await start(`1${race}`.slice(0, 2), 1001);
    for (const index of [0, 1]) await groups.join({ group: chunked.id, index, count: 1001 }, large, call);
    const joined = await start(`2${race}`.slice(0, 2), 2, { deadlineSeconds: 60 });
    for (const index of [1, 0]) await groups.join({ group: joined.id, index, count: 2 }, large, call);
    const outer = await start(`3${race}`.slice(0, 2), 2, { failures: 'collect' });
    const then = { ...settings.then, callback: `gather#g-${outer.id}-0-of-2` };
    const failed = await start(`4${race}`.slice(0, 2), 2, { failures: 'fail', then, deadlineSeconds: 60 });
    for (const index of [0, 1]) await groups.join({ group: failed.id, index, count: 2 }, failure, call);
    now += 60_000;
    await groups.close(failed.id, call);
    await groups.close((await start(`5${race}`.slice(0, 2), 3, { deadlineSeconds: 1 })).id, call);
  }
  expect([...without]).toEqual([]);
  expect(bounds).toEqual({
    plan: 4_194_304,
    tasks: 67_108_864,
    sent: 100,
    s: 4_194_304,
    n: 1024,
    failed: 100,
    done: 100,
  });
});
