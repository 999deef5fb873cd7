import { describe, expect, jest, test } from '@jest/globals';
import type { GroupAccess } from '../../core/groups/groupAccess.ts';
import type { GroupSettings } from '../../core/groups/plan.ts';
import { deadlineCallback } from '../../core/groups/ticket.ts';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import { type Exploration, explore, type Scenario } from './explore.ts';
import {
  branches,
  checkEnd,
  closeAtDeadline,
  group,
  hash,
  joinBranch,
  oneEnd,
  settings,
  splitter,
} from './scenarios.ts';

// On a machine that does other work too.
jest.setTimeout(120_000);

const base = { atEnd: oneEnd, check: checkEnd };

/** A stored plan. */
const planned = (count: number, over: Partial<GroupSettings> = {}) => {
  const messages = branches(group, count);
  const plan = {
    ...settings,
    ...over,
    version: 1,
    id: group,
    bucket: 'b',
    count,
    branches: messages,
    createdAt: 1_700_000_000_000,
  };
  return {
    objects: new Map([[`groups/${hash}/plan`, JSON.stringify(plan)]]),
    messages: messages.map(({ topicArn, message }): TaskMessage => ({ topicArn, message })),
  };
};

const indexOf = ({ message }: TaskMessage) => Number(/-(\d+)-of-/.exec(message)?.[1]);
const isEnd = ({ topicArn }: TaskMessage) => ['album', 'failed'].includes(topicArn);
const value = (message: TaskMessage) => ({ value: `"v${indexOf(message)}"` });
const joins = (message: TaskMessage) =>
  isEnd(message) ? undefined : (access: GroupAccess) => joinBranch(access, message, value(message));

const run = async (name: string, scenario: Scenario): Promise<Exploration> => {
  const started = performance.now();
  const exploration = await explore(scenario);
  if (process.env.SHOW_STATES) console.log(name, exploration, Math.round(performance.now() - started));
  return exploration;
};

/** A delivery of a branch that fails for good, and then goes to the dead-letter queue. */
const failing = (message: TaskMessage): TaskMessage => ({ ...message, subject: 'fails' });
const outcomes = (message: TaskMessage) => {
  if (isEnd(message)) return undefined;
  if (message.topicArn === 'gather') return closeAtDeadline;
  const failure = { error: `{"message":"broken ${indexOf(message)}"}`, task: '{}' };
  return (access: GroupAccess) =>
    joinBranch(access, message, message.subject === 'fails' ? failure : value(message));
};
const onError = { taskName: 'failed', topicArn: 'failed' };
const deadline: TaskMessage = { topicArn: 'gather', message: deadlineCallback(group) };

describe('no interleaving loses a group, joins it early or joins it in two ways', () => {
  test.each([
    { count: 1, deliveries: 3, afterwards: true, errors: true },
    { count: 2, deliveries: 3, afterwards: true, errors: true },
    { count: 3, deliveries: 2, afterwards: false, errors: false },
    { count: 4, deliveries: 1, afterwards: true, errors: true },
  ])('of $count branches, $deliveries deliveries of each at a time', async (bounds) => {
    const { fault, states } = await run('branches', {
      ...base,
      ...planned(bounds.count),
      ...bounds,
      programFor: joins,
    });
    expect(fault).toBeUndefined();
    expect(states).toBeGreaterThan(9);
  });

  test.each([
    { lists: [2, 2], note: 'the same list' },
    { lists: [2, 1], note: 'a shorter list' },
    { lists: [1, 2], note: 'a longer list' },
    { lists: [0, 2], note: 'a list after an empty one' },
  ])('of a task that is delivered again and returns $note', async ({ lists }) => {
    const { fault } = await run('splitter', {
      ...base,
      messages: lists.map((count, delivery) => ({
        topicArn: 'split',
        message: `split:abc:${count}:${delivery}`,
      })),
      programFor: (message) =>
        message.topicArn === 'split'
          ? async (access) => void (await splitter(access, message))
          : joins(message),
    });
    expect(fault).toBeUndefined();
  });

  test('of a group with a group in a branch', async () => {
    const outer = planned(2);
    const { fault } = await run('nested', {
      ...base,
      ...outer,
      programFor(message) {
        if (message.topicArn === 'thumb' && indexOf(message) === 0) {
          const then = {
            taskName: 'inner',
            topicArn: 'inner',
            callback: JSON.parse(message.message).callback,
          };
          return async (access) => {
            await splitter(access, { topicArn: 'split', message: 'split:cde:2' }, { then });
          };
        }
        return joins(message);
      },
    });
    expect(fault).toBeUndefined();
  });

  test.each(['collect', 'fail'] as const)(
    'of a branch that fails, and of one that fails once: %s',
    async (failures) => {
      const { objects, messages } = planned(3, { failures, onError });
      const [first, second, third] = messages as [TaskMessage, TaskMessage, TaskMessage];
      const { fault } = await run(failures, {
        ...base,
        objects,
        messages: [first, failing(second), third, failing(third)],
        programFor: outcomes,
      });
      expect(fault).toBeUndefined();
    },
  );

  test.each(['collect', 'fail'] as const)(
    'of a branch that fails in one delivery and succeeds in another: %s',
    async (failures) => {
      const { objects, messages } = planned(2, { failures, onError });
      const [first, second] = messages as [TaskMessage, TaskMessage];
      const { fault } = await run(`mixed ${failures}`, {
        ...base,
        objects,
        messages: [first, second, failing(second)],
        afterwards: true,
        programFor: outcomes,
      });
      expect(fault).toBeUndefined();
    },
  );

  test('of a group that fails in a branch of another one', async () => {
    const outer = planned(2, { failures: 'collect' });
    const { fault } = await run('nested failure', {
      ...base,
      ...outer,
      programFor(message) {
        const { topicArn } = message;
        if (topicArn === 'failed') return async () => {};
        if (topicArn === 'thumb2') return outcomes(failing(message));
        if (topicArn !== 'thumb' || indexOf(message) !== 0) return joins(message);
        const then = { taskName: 'inner', topicArn: 'inner', callback: JSON.parse(message.message).callback };
        return async (access) => {
          await splitter(
            access,
            { topicArn: 'split', message: 'split:cde:2' },
            { then, failures: 'fail', onError },
          );
        };
      },
    });
    expect(fault).toBeUndefined();
  });

  test.each(['wait', 'collect', 'fail'] as const)(
    'of three with a deadline, one missing, and one that may end in the dead-letter queue when killed: %s',
    async (failures) => {
      const { objects, messages } = planned(3, { failures, onError, deadlineSeconds: 0 });
      const [first, second] = messages as [TaskMessage, TaskMessage];
      const { fault } = await run(`deadline ${failures}`, {
        ...base,
        objects,
        messages: [first, failures === 'wait' ? second : failing(second), deadline],
        mayBury: (message) => indexOf(message) === (failures === 'wait' ? 0 : 1),
        programFor: outcomes,
      });
      expect(fault).toBeUndefined();
    },
  );
});

describe('a broken store is noticed', () => {
  test('one that replaces slots', async () => {
    const messages = branches(group, 1).map(({ message, topicArn }) => ({ message, topicArn }));
    const { fault } = await run('overwriting', {
      ...base,
      ...planned(1),
      messages: [...messages, ...messages.map((message) => ({ ...message, subject: 'other' }))],
      overwrites: (key) => key.includes('/s'),
      programFor: (message) =>
        isEnd(message)
          ? undefined
          : (access) => joinBranch(access, message, { value: message.subject ? '"other"' : '"one"' }),
    });
    expect(fault?.reason).toMatch(/changed|two joins/);
  });

  test('one that replaces nodes', async () => {
    const { fault } = await run('overwriting', {
      ...base,
      ...planned(2),
      overwrites: (key) => key.includes('/n1-'),
      programFor: joins,
    });
    expect(fault?.reason).toBe('lost');
  });
});
