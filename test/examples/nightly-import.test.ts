import { CreateScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type TestWorker, testWorker } from 'algernon-middy/testing';
import { planImport } from '../../examples/nightly-import/planImport.ts';
import { type Context, handler, tasks } from '../../examples/nightly-import/worker.ts';
import { runExample } from '../support/runExample.ts';

const apple = { sku: 'apple', cents: 45 };

/** The answers of the supplier, in order. The last one is repeated. */
let answers: Response[];
let worker: TestWorker<typeof tasks, Context>;
beforeEach(async () => {
  const download = async () => (answers.length > 1 ? answers.shift() : answers[0]?.clone()) as Response;
  worker = await testWorker<typeof tasks, Context>(handler, {
    tasks,
    maxReceiveCount: 4,
    context: { download },
  });
});
afterEach(() => worker.stop());

const load = { task_name: 'load', task_kwargs: { file: 'monday.csv' }, callback: 'save' } as const;
const outcomes = () => worker.attempts('load').map(({ outcome }) => outcome);

test('a file that is not ready, then a supplier that is busy, then the prices', async () => {
  answers = [
    new Response('', { status: 202 }),
    new Response('', { status: 503, headers: { 'retry-after': '600' } }),
    new Response('apple;0.45\n'),
  ];
  await worker.send(load);
  await worker.idle();
  expect(outcomes()).toEqual(['failed', 'failed', 'succeeded']);
  expect(worker.results('load')).toEqual([{ file: 'monday.csv', prices: [apple] }]);
  expect(worker.results('save')).toEqual([{ file: 'monday.csv', saved: 1 }]);
});

test('a file that is wrong is dead-lettered at once, with the reason', async () => {
  answers = [new Response('apple;0.45\npear;sixty\n')];
  await worker.send(load);
  await worker.idle();
  expect(outcomes()).toEqual(['failed']);
  const [letter] = await worker.deadLetters('load');
  expect(letter?.attributes).toMatchObject({
    failure_reason: 'NonRetryableError: line 2 is not a price: pear;sixty',
  });
});

test('a supplier that is never ready is dead-lettered after the last receive', async () => {
  answers = [new Response('', { status: 202 })];
  await worker.send(load);
  await worker.idle();
  expect(outcomes()).toHaveLength(4);
  expect(await worker.deadLetters('load')).toHaveLength(1);
});

test('an import of tonight waits in its queue, one of next week with EventBridge Scheduler', async () => {
  answers = [new Response('apple;0.45\n')];
  const { topics } = worker;
  await planImport('monday.csv', new Date(Date.now() + 600_000), { topics });
  await worker.idle();
  expect(worker.results('save')).toHaveLength(1);

  const scheduler = new SchedulerClient({ region: 'us-east-1' });
  const schedules: unknown[] = [];
  scheduler.send = (async (command: unknown) => void schedules.push(command)) as typeof scheduler.send;
  process.env.SCHEDULE_ROLE_ARN = 'arn:aws:iam::000000000000:role/schedule';
  try {
    await planImport('monday.csv', new Date('2100-01-01T00:00:00Z'), { topics, scheduler });
  } finally {
    delete process.env.SCHEDULE_ROLE_ARN;
  }
  const [schedule] = schedules as [CreateScheduleCommand];
  expect(schedule).toBeInstanceOf(CreateScheduleCommand);
  expect(schedule.input.ScheduleExpression).toBe('at(2100-01-01T00:00:00)');
});

test('the command imports both files', async () => {
  const output = await runExample('nightly-import');
  expect(output).toContain('In the dead-letter queue: NonRetryableError: line 2 is not a price: pear;sixty');
  expect(output).toContain('1 of 1 messages sent');
  for (const day of ['monday', 'tuesday']) expect(output).toContain(`${day}.csv: 2 prices saved`);
});
