import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { parseStoredTask } from '../../../middlewares/once/storedTask.ts';
import { TaskInProgressError } from '../../../middlewares/once/TaskInProgressError.ts';

const address = { bucket: 'the-bucket', key: 'the-key' };
const parse = (record: unknown) => parseStoredTask(JSON.stringify(record), address);

afterEach(() => {
  jest.restoreAllMocks();
});

describe('the record of a task', () => {
  test.each([
    { state: 'running', owner: 'o', until: 5 },
    { state: 'running', owner: 'o', until: 5, payload: 'p' },
    { state: 'done', owner: 'o', doneAt: 5 },
    { state: 'done', owner: 'o', doneAt: 5, kind: 'k', result: 'r', payload: 'p' },
    { state: 'free', owner: 'o' },
  ])('is read: %j', (record) => {
    expect(parse(record)).toEqual(record);
  });

  test.each([
    [null],
    [5],
    [[]],
    [{}],
    [{ state: 'free' }],
    [{ state: 'free', owner: 5 }],
    [{ state: 'free', owner: 'o', payload: 5 }],
    [{ state: 'other', owner: 'o' }],
    [{ state: 'running', owner: 'o' }],
    [{ state: 'running', owner: 'o', until: '5' }],
    [{ state: 'done', owner: 'o' }],
    [{ state: 'done', owner: 'o', doneAt: '5' }],
    [{ state: 'done', owner: 'o', doneAt: 5, kind: 5 }],
    [{ state: 'done', owner: 'o', doneAt: 5, result: {} }],
  ])('is refused: %j', (record) => {
    expect(() => parse(record)).toThrow(
      expect.objectContaining({ name: 'StoredDataError', code: 'STORED_DATA_BODY' }),
    );
  });

  test('that is not JSON is refused, with its address', () => {
    expect(() => parseStoredTask('{', address)).toThrow('s3://the-bucket/the-key is not a record');
  });
});

test('a task that runs elsewhere comes back one second after its lease', () => {
  jest.spyOn(Date, 'now').mockReturnValue(10_000);
  const secondsOf = (leaseUntil: number) => new TaskInProgressError(leaseUntil, 'reason').retryAfterSeconds;
  expect([10_000, 10_001, 11_000, 15_000, 0].map(secondsOf)).toEqual([1, 2, 2, 6, 1]);
  expect(new TaskInProgressError(0, 'reason')).toMatchObject({
    name: 'TaskInProgressError',
    code: 'TASK_IN_PROGRESS',
    message: 'reason',
    retryable: true,
  });
});
