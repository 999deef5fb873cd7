import { describe, expect, test } from '@jest/globals';
import {
  type CallbackPlan,
  deduplicationId,
  originOf,
  workOf,
} from '../../../middlewares/callbacks/callbackPlan.ts';
import { ErrorTaskNotToldError } from '../../../middlewares/callbacks/ErrorTaskNotToldError.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

const identity = {
  messageId: 'm1',
  chainId: 'c',
  receiver: 'arn:aws:sqs:us-east-1:1:work',
  part: 0,
  sentAt: 5,
  receiveCount: 1,
  groupId: 'g',
} as unknown as CallbackPlan['identity'];
const plan: CallbackPlan = {
  identity,
  work: ['work', 0, ''],
  taskName: 'load',
  role: 'callback',
  following: [],
  attributes: {},
};
const next = { task_name: 'next' };

describe('the work of a message', () => {
  const dumps = JSON.stringify;
  const run = (record: object | undefined, content: unknown) =>
    ({ record, unwrap: () => ({ content }) }) as never;

  test('is told apart by its receiver and its part', () => {
    expect(workOf(identity, run(sqsRecord('x'), 'content'), dumps)).toEqual([identity.receiver, 0, '']);
  });

  test('of a direct invocation is told apart by its task as well', () => {
    expect(workOf(identity, run(undefined, { a: 1 }), dumps)).toEqual([identity.receiver, 0, '{"a":1}']);
    const fail = () => {
      throw new Error('no');
    };
    expect(workOf(identity, run(undefined, 1), fail)).toEqual([identity.receiver, 0, '']);
  });
});

test('a stored result is named by the task and the work', () => {
  const name = (over: object) => originOf({ ...plan, ...over }).taskName;
  expect(originOf(plan)).toMatchObject({ messageId: 'm1', sentAt: 5, groupId: 'g', functionArn: undefined });
  expect(name({})).toMatch(/^load-[\w-]{8}$/);
  expect(name({})).toBe(name({ role: 'error' }));
  expect(name({ work: ['work', 1, ''] })).not.toBe(name({}));
});

describe('a deduplication id', () => {
  const idOf = (over: object = {}, following: object = next) =>
    deduplicationId({ ...plan, ...over }, following as typeof next);

  test('is readable, and stays within the limit of SNS', () => {
    expect(idOf()).toMatch(/^[\w-]{22}\.m1\.next$/);
    expect(idOf()).toBe(idOf());
    const long = idOf({}, { task_name: 'n'.repeat(200) });
    expect(long).toHaveLength(128);
    expect(long).toMatch(/^[\w-]{22}\.m1\.n+$/);
  });

  test('differs between messages, works, tasks, next tasks and callbacks', () => {
    const digests = [
      idOf(),
      idOf({ identity: { ...identity, messageId: 'm2' } }),
      idOf({ work: ['work', 1, ''] }),
      idOf({ taskName: 'other' }),
      idOf({}, { task_name: 'other' }),
      idOf({}, { task_name: 'next', callback: 'load#next' }),
    ].map((id) => id.slice(0, 22));
    expect(new Set(digests).size).toBe(6);
  });
});

test('an ErrorTaskNotToldError has both errors, and is retryable', () => {
  const [failure, cause] = [new Error('first'), new Error('second')];
  expect(new ErrorTaskNotToldError(failure, cause)).toMatchObject({
    name: 'ErrorTaskNotToldError',
    code: 'ERROR_TASK_NOT_TOLD',
    retryable: true,
    failure,
    cause,
    message: expect.stringMatching(/Error: first.*Error: second/),
  });
});
