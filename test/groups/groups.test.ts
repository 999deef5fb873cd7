import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ajson } from '../../core/ajson/index.ts';
import { identityOf } from '../../core/batch/identity.ts';
import type { TaskRun } from '../../core/batch/stage.ts';
import { unwrap } from '../../core/batch/unwrapTask.ts';
import {
  branchCallback,
  createdSeconds,
  deadlineCallback,
  deadlineIn,
  formatGroupId,
  formatTicket,
  groupHash,
  hashOf,
  parseTicket,
  remainingChain,
  type Ticket,
  ticketIn,
} from '../../core/groups/ticket.ts';
import { nextTask } from '../../core/tasks/nextTask.ts';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import { workerGroups } from '../../middlewares/groups/workerGroups.ts';
import { sqsRecord } from '../support/sqsRecord.ts';
import { memoryGroups } from './memoryGroups.ts';
import { branches, group, hash, settings } from './scenarios.ts';

const prepared =
  (count: number, over = {}) =>
  async (id: string) => ({
    settings: { ...settings, ...over },
    messages: branches(id, count),
  });

describe('tickets', () => {
  test('are written and read back, with gather# in at most 46 characters', () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 2n ** 256n - 1n),
        fc.integer({ min: 0, max: 4_000_000_000_000 }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.nat(99_999),
        (digest, time, count, number) => {
          const id = formatGroupId(groupHash(digest.toString(16)), time);
          const ticket = { group: id, index: number % count, count };
          const link = formatTicket(ticket);
          expect(`gather#${link}`.length).toBeLessThanOrEqual(46);
          expect(parseTicket(link)).toEqual(ticket);
          expect(createdSeconds(id)).toBe(Math.floor(time / 1000));
          expect(ticketIn(branchCallback({ task_name: 'a', callback: 'a#b' }, ticket))).toEqual(ticket);
        },
      ),
    );
  });

  test.each([
    `g-${group}-2-of-2`,
    `g-${group}-01-of-2`,
    `g-${group}--1-of-2`,
    `g-${group}-0-of-0`,
    `g-${group}-0-of-100001`,
    `g-${group}-1e1-of-20`,
    `g-${group}0-0-of-2`,
    `g-${group.slice(1)}-0-of-2`,
    `g-${group}-0-of-2 `,
    `G-${group}-0-of-2`,
    `g-${group.slice(0, 20)}_-0-of-2`,
    '',
  ])('%s is not one', (link) => {
    expect(parseTicket(link)).toBeUndefined();
    expect(ticketIn(`gather#${link}`)).toBeUndefined();
  });

  test.each([
    [undefined, false],
    ['gather', false],
    [`gather#g-${group}-0-of-2#more`, false],
    [`album#g-${group}-0-of-2`, false],
    [`notgather#g-${group}-0-of-2`, false],
    [`a#b#gather#g-${group}-0-of-2`, true],
    [`${'a'.repeat(100_000)}#gather#g-${group}-0-of-2`, true],
  ])('are found only at the end of a chain, after gather: %#', (callback, isFound) => {
    expect(ticketIn(callback) !== undefined).toBe(isFound);
  });

  test('of a deadline is no branch', () => {
    expect(deadlineIn(deadlineCallback(group))).toBe(group);
    expect(ticketIn(deadlineCallback(group))).toBeUndefined();
    expect(deadlineIn(`gather#g-${group}-0-of-2`)).toBeUndefined();
  });

  test.each([
    [undefined, 'split', undefined],
    ['report', 'split', 'report'],
    ['split#report', 'split', 'report'],
    ['load#split#a#b', 'split', 'a#b'],
    ['a#b', 'split', 'a#b'],
    ['load#split', 'split', undefined],
    [`split#gather#g-${group}-0-of-2`, 'split', `gather#g-${group}-0-of-2`],
  ])('the chain %s after %s is %s', (callback, current, rest) => {
    expect(remainingChain(callback, current)).toBe(rest);
  });
});

describe('a branch among Python workers', () => {
  const { handOn } = JSON.parse(readFileSync(new URL('../wire/group-vectors.json', import.meta.url), 'utf8'));

  test.each(
    handOn as { task_name: string; callback: string; next: string; passed: string; ticket: object | null }[],
  )('of $task_name with $callback goes to $next', ({ task_name, callback, next, passed, ticket }) => {
    expect(nextTask(callback, task_name)).toEqual({ task_name: next, callback: passed });
    expect(ticketIn(callback) ?? null).toEqual(ticket);
  });
});

describe('a message that a Python worker sends to gather', () => {
  const { gather } = JSON.parse(readFileSync(new URL('../wire/group-vectors.json', import.meta.url), 'utf8'));

  test.each(gather as { message: { callback: string }; slot: string }[])(
    'is recorded as it is: $slot',
    async ({ message, slot }) => {
      const { group: id, index, count } = ticketIn(message.callback) as Ticket;
      const now = createdSeconds(id) * 1000;
      const { groups, objects } = memoryGroups({ now: () => now });
      const plan = { ...settings, version: 1, id, bucket: 'b', count, branches: [], createdAt: now };
      objects.set(`groups/${hashOf(id)}/plan`, JSON.stringify(plan));
      const dumps = (value: unknown) => ajson.dumps(value, { tags: 'keep' });
      const unused = async () => '';
      const worker = workerGroups(groups, {
        dumps,
        storeArguments: unused,
        writeText: unused,
        topics: undefined,
        queues: undefined,
        maxMessageBytes: 262_144,
      });
      await worker.gather({} as TaskRun, { group: id, index, count }, message as never);
      expect(objects.get(`groups/${id}/s${index}!${now / 1000}.json`)).toBe(slot);
    },
  );
});

describe('large groups', () => {
  test('a plan of 100,000 is stored in chunks, the head last, and goes on from its marks', async () => {
    let calls = 0;
    let isDown = true;
    const sent = new Set<string | undefined>();
    const { groups, creates, objects } = memoryGroups({
      async publish(messages) {
        calls += 1;
        if (isDown && calls === 38) throw new Error('killed');
        for (const { deduplicationId } of messages) sent.add(deduplicationId);
        return [];
      },
    });
    await expect(groups.start(hash, prepared(100_000))).rejects.toThrow('killed');
    const plan = creates.indexOf(`groups/${hash}/plan`);
    expect(creates.slice(0, plan).every((key) => key.includes('/tasks-'))).toBe(true);
    expect(plan).toBe(100);
    expect([...objects.keys()].filter((key) => key.includes('/sent-'))).toHaveLength(37);
    expect((objects.get(`groups/${hash}/plan`) as string).length).toBeLessThan(1000);
    isDown = false;
    calls = 0;
    // The second delivery has another list, and sends the first one.
    await groups.start(hash, prepared(7));
    expect(calls).toBe(63);
    expect(sent.size).toBe(100_000);
  });

  test.each([
    [1499, 'in the message'],
    [3000, 'stored'],
    [4001, 'in the message'],
    [100_000, 'stored'],
  ])('%i results are %s', async (count, place) => {
    const { groups, objects, sent } = memoryGroups();
    const { id } = await groups.start(hash, prepared(count));
    sent.length = 0;
    // The last slot completes the tree: all others are filled by hand.
    for (let index = 0; index < count - 1; index += 1)
      objects.set(`groups/${id}/s${index}!1700000000.json`, '{}');
    for (let level = 1, width = Math.ceil(count / 2); ; level += 1, width = Math.ceil(width / 2)) {
      objects.set(`groups/${id}/n${level}-${width - 1}`, '{"side":0,"bytes":5}');
      if (width === 1) break;
    }
    await groups.join({ group: id, index: count - 1, count }, { value: '1' });
    expect(sent).toHaveLength(1);
    const { message } = sent[0] as TaskMessage;
    expect(message.length).toBeLessThan(262_144);
    const { task_kwargs } = JSON.parse(message);
    const stored = objects.get(`groups/${id}/results!1700000000.json`);
    const { results } = stored === undefined ? task_kwargs : JSON.parse(stored).data_string;
    expect(stored !== undefined).toBe(place === 'stored');
    expect(results).toHaveLength(count);
    const last = `b#groups/${id}/s${count - 1}!1700000000.json`;
    expect(results.at(-1)).toEqual(
      count > 4000
        ? last
        : { _alg_class: 'StoredData', _alg_module: 'algernon.aws.snakes', value: { pointer: last } },
    );
  });

  test.each([
    { atOnce: 1, writes: 2, reads: 2.1 },
    { atOnce: 10, writes: 2.8, reads: 2.8 },
    { atOnce: 1000, writes: 3, reads: 4 },
  ])(
    'a branch costs up to $writes writes and $reads reads, if $atOnce end at the same instant',
    async (most) => {
      const { groups, reads, creates, sent } = memoryGroups();
      const { id } = await groups.start(hash, prepared(1000));
      reads.length = 0;
      creates.length = 0;
      sent.length = 0;
      for (let first = 0; first < 1000; first += most.atOnce) {
        const join = (_: unknown, at: number) =>
          groups.join({ group: id, index: first + at, count: 1000 }, { value: '1' });
        await Promise.all(Array.from({ length: most.atOnce }, join));
      }
      expect(sent).toHaveLength(1);
      expect(creates.length / 1000).toBeLessThanOrEqual(most.writes);
      expect(reads.length / 1000).toBeLessThanOrEqual(most.reads);
    },
  );
});

describe('the messages of a group', () => {
  const fifo = (name: string) => ({ taskName: name, topicArn: `${name}.fifo` });

  test('have ids that are the same each time, and groups of their own on FIFO topics', async () => {
    const { groups, sent } = memoryGroups();
    const over = { then: fifo('album'), messageGroup: 'tenant' };
    const prepare = async (id: string) => ({
      settings: { ...settings, ...over },
      messages: branches(id, 2).map((message, at) => ({
        ...message,
        topicArn: at === 0 ? 'thumb.fifo' : 'thumb',
      })),
    });
    const { id } = await groups.start(hash, prepare);
    await groups.join({ group: id, index: 0, count: 2 }, { value: '1' });
    await groups.join({ group: id, index: 1, count: 2 }, { value: '1' });
    expect(sent.map(({ deduplicationId, groupId }) => [deduplicationId, groupId])).toEqual([
      [`${id}.0`, undefined],
      [`${id}.1`, 'tenant'],
      [`${id}.then`, 'tenant'],
    ]);
    expect(sent[2]?.attributes).toEqual({ group_id: id });
  });

  test('a join that is sent twice is one piece of work', () => {
    const runs = [1, 2].map((time) => {
      const record = sqsRecord({ task_name: 'album' });
      const envelope = JSON.parse(record.body);
      const MessageAttributes = { group_id: { Type: 'String', Value: group } };
      record.body = JSON.stringify({
        ...envelope,
        Timestamp: `2026-01-0${time}T00:00:00.000Z`,
        MessageAttributes,
      });
      return identityOf({ record, context: {} as never, part: 0, unwrap: () => unwrap(record) });
    });
    expect(runs[0]).toMatchObject({ messageId: `${group}.then`, sentAt: 1_700_000_000_000 });
    expect(runs[1]).toMatchObject({ messageId: `${group}.then`, sentAt: 1_700_000_000_000 });
  });
});

describe('time', () => {
  test('a group is refused before a lifecycle rule can have removed parts of it', async () => {
    let now = 1_700_000_000_000;
    const { groups } = memoryGroups({ now: () => now });
    const { id } = await groups.start(hash, prepared(2));
    const ticket = { group: id, index: 0, count: 2 };
    now += (29 * 86_400 - 1) * 1000;
    await groups.join(ticket, { value: '1' });
    now += 2000;
    for (const late of [
      groups.join(ticket, { value: '1' }),
      groups.read(ticket),
      groups.start(hash, prepared(2)),
      groups.close(id),
    ])
      await expect(late).rejects.toMatchObject({ code: 'GROUP_EXPIRED', retryable: false });
  });

  test('a deadline counts from the plan, and one that comes early is sent again', async () => {
    let now = 1_700_000_000_000;
    const { groups, later, sent } = memoryGroups({ now: () => now });
    const { id } = await groups.start(hash, prepared(2, { deadlineSeconds: 60 }));
    now += 20_000;
    await groups.start(hash, prepared(2, { deadlineSeconds: 60 }));
    expect(later.map(({ seconds }) => seconds)).toEqual([60, 40]);
    await groups.close(id);
    expect(later.at(-1)).toEqual({ callback: `gather#g-${id}-deadline`, seconds: 40 });
    now += 40_000;
    sent.length = 0;
    await groups.close(id);
    expect(sent.map(({ topicArn }) => topicArn)).toEqual(['album']);
    await groups.close(id);
    expect(sent).toHaveLength(1);
  });
});

describe('a deadline beyond the longest delay of SQS', () => {
  test('arrives every 900 seconds, until it is due', async () => {
    let now = 1_700_000_000_000;
    const { groups, later, sent } = memoryGroups({ now: () => now });
    const { id } = await groups.start(hash, prepared(2, { deadlineSeconds: 2000 }));
    sent.length = 0;
    for (let due = 0; due < later.length; due += 1) {
      now += (later[due]?.seconds ?? 0) * 1000;
      await groups.close(id);
    }
    expect(later.map(({ seconds }) => seconds)).toEqual([900, 900, 200]);
    expect(sent.map(({ topicArn }) => topicArn)).toEqual(['album']);
  });

  test('is sent no more once the group has ended', async () => {
    const { groups, later } = memoryGroups();
    const { id } = await groups.start(hash, prepared(2, { deadlineSeconds: 86_400 }));
    for (const index of [0, 1]) await groups.join({ group: id, index, count: 2 }, { value: '1' });
    await groups.close(id);
    expect(later).toHaveLength(1);
  });

  test('must be over before the group expires', async () => {
    const { groups, creates } = memoryGroups({ expirySeconds: 86_400 });
    const late = groups.start(hash, prepared(2, { deadlineSeconds: 86_400 }));
    await expect(late).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringContaining('groupExpiryDays'),
    });
    expect(creates).toEqual([]);
    await groups.start(hash, prepared(2, { deadlineSeconds: 86_399 }));
  });
});

describe('the cost of a forged ticket', () => {
  test('without a plan is one read', async () => {
    const { groups, reads, creates } = memoryGroups();
    const now = formatGroupId(groupHash('77'), 1_700_000_000_000);
    const forged = groups.join({ group: now, index: 0, count: 2 }, { value: '1' });
    await expect(forged).rejects.toMatchObject({ code: 'GROUP_NOT_FOUND' });
    expect({ reads: reads.length, creates: creates.length }).toEqual({ reads: 1, creates: 0 });
  });

  test('is at most 2 reads and 1 write for each of 17 levels', async () => {
    const { groups, reads, creates } = memoryGroups();
    const { id } = await groups.start(hash, prepared(100_000));
    let most = { reads: 0, creates: 0 };
    for (const index of [0, 1, 65_535, 65_536, 99_998, 99_999]) {
      reads.length = 0;
      creates.length = 0;
      await groups.join({ group: id, index, count: 100_000 }, { value: JSON.stringify('x'.repeat(70_000)) });
      most = {
        reads: Math.max(most.reads, reads.length),
        creates: Math.max(most.creates, creates.length),
      };
    }
    expect(most.reads).toBeLessThanOrEqual(2 + 2 * 17);
    expect(most.creates).toBeLessThanOrEqual(2 + 17);
  });

  test('is no more objects than a group of its size has, whatever tickets there are', async () => {
    const ticket = fc.record({ index: fc.nat(6), count: fc.integer({ min: 1, max: 7 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.array(ticket, { maxLength: 30 }),
        async (count, all) => {
          const { groups, objects } = memoryGroups();
          const { id } = await groups.start(hash, prepared(count));
          await Promise.allSettled(
            all.map((forged) => groups.join({ group: id, ...forged }, { value: '1' })),
          );
          // The plan, the slots, and the nodes above them.
          expect(objects.size).toBeLessThanOrEqual(1 + count + (count - 1));
        },
      ),
    );
  });

  test('that closes a group is paid once in 900 seconds, and closes nothing before its deadline', async () => {
    let now = 1_700_000_000_000;
    const { groups, later, sent } = memoryGroups({ now: () => now });
    const { id } = await groups.start(hash, prepared(2, { deadlineSeconds: 60 }));
    sent.length = 0;
    now += 57_000;
    await groups.close(id);
    expect(sent).toEqual([]);
    expect(later).toHaveLength(2);
    now += 1500;
    await groups.close(id);
    expect(sent.map(({ topicArn }) => topicArn)).toEqual(['album']);
    expect(later).toHaveLength(2);
  });
});

describe('objects that cannot be used', () => {
  const ticket = { group, index: 0, count: 2 };
  test.each([
    ['plan', `groups/${hash}/plan`],
    ['slot', `groups/${group}/s0!1700000000.json`],
    ['node', `groups/${group}/n1-0`],
  ])('a %s that is not one', async (_, key) => {
    const { groups, objects } = memoryGroups();
    await groups.start(hash, prepared(2));
    const again = memoryGroups();
    for (const [name, text] of objects) again.objects.set(name, text);
    again.objects.set(key, 'nonsense');
    await expect(again.groups.join(ticket, { value: '1' })).rejects.toMatchObject({ code: 'GROUP_CORRUPT' });
  });

  test('an object that exists and cannot be read is retryable', async () => {
    const { groups, objects } = memoryGroups();
    await groups.start(hash, prepared(2));
    const read = async ({ key }: { key: string }) =>
      key.endsWith('/plan') ? { text: objects.get(key) as string, version: 'v' } : undefined;
    const denied = memoryGroups({ store: { read, create: async () => undefined } });
    await expect(denied.groups.join(ticket, { value: '1' })).rejects.toMatchObject({
      code: 'GROUP_UNREADABLE',
      retryable: true,
    });
  });
});
