import { expect, test } from '@jest/globals';
import middy, { type MiddlewareObj } from '@middy/core';
import {
  queued,
  runTask,
  type SqsRecord,
  sqsSnsUnwrap,
  stageMiddleware,
  type Task,
} from '../../middlewares/index.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

type Record = SqsRecord & { readonly task?: Task };

/** Invokes a loop of the user. */
async function inLoop(records: readonly object[], work: (records: readonly Record[]) => void): Promise<void> {
  const handler = middy(async (event: { Records: Record[] }, context: object) => {
    work(event.Records);
    await Promise.allSettled(event.Records.map((record) => runTask(record, context, () => 1)));
  });
  const stack = handler.use(sqsSnsUnwrap() as MiddlewareObj) as unknown as (
    event: object,
    context: object,
  ) => Promise<unknown>;
  await stack({ Records: records }, lambdaContext()).catch(() => {});
}

const task = { task_name: 'work', task_kwargs: { id: 1 } };

test('in a loop, each record has its task, which is parsed once and is not copied with the record', async () => {
  for (const raw of [false, true]) {
    await inLoop([sqsRecord(task, { raw })], ([record]) => {
      expect(Object.keys(record as Record)).not.toContain('task');
      expect(record?.task).toEqual(task);
      expect(record?.task).toBe(record?.task);
      expect(Object.keys(record as Record)).not.toContain('task');
      expect(JSON.stringify(record)).not.toContain('"task":');
      // Another middleware may set it.
      Object.defineProperty(record, 'task', { value: 1 });
      expect(record?.task).toBe(1);
    });
  }
  expect.assertions(12);
});

test('a bad message throws where its task is read, each time', async () => {
  await inLoop([sqsRecord('{'), sqsRecord({ name: 'work' })], (records) => {
    for (let time = 0; time < 2; time += 1) {
      expect(() => records[0]?.task).toThrow(expect.objectContaining({ code: 'MESSAGE_NOT_JSON' }));
      expect(() => records[1]?.task).toThrow(expect.objectContaining({ code: 'NOT_A_TASK' }));
    }
  });
  expect.assertions(4);
});

test('a frozen record stays as it is, and its handler gets the task', async () => {
  const frozen = Object.freeze(sqsRecord(task));
  await inLoop([frozen], ([record]) => expect(record?.task).toBeUndefined());
  const seen: unknown[] = [];
  const handler = middy(queued((given: Task) => void seen.push(given))).use(sqsSnsUnwrap());
  await handler({ Records: [frozen] }, lambdaContext());
  expect(seen).toEqual([task]);
});

test('a task that another stage has set, and that of a direct invocation, stay', async () => {
  const own = { task_name: 'own', task_kwargs: {} };
  const setting = stageMiddleware({
    name: 'setting',
    order: { before: 'unwrap' },
    around(run, next) {
      run.task = own;
      return next();
    },
  });
  const seen: unknown[] = [];
  const handler = middy(queued((given: Task) => void seen.push(given)))
    .use(sqsSnsUnwrap())
    .use(setting);
  await handler({ Records: [sqsRecord({ name: 'not a task' })] }, lambdaContext());
  const direct = middy(queued((given: Task) => void seen.push(given))).use(sqsSnsUnwrap());
  await direct(task as never, lambdaContext());
  expect(seen).toEqual([own, task]);
});
