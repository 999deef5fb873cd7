import { describe, expect, test } from '@jest/globals';
import { unwrap } from '../../../core/batch/unwrapTask.ts';
import type { DeliveryEvent, TaskFact } from '../../../core/chains/ChainEvent.ts';
import { deadlineCallback, formatGroupId } from '../../../core/groups/ticket.ts';
import { type ObserveOptions, observeTask } from '../../../middlewares/events/observeTask.ts';
import type { TaskRun } from '../../../middlewares/index.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

const load = { task_name: 'load', task_kwargs: {}, callback: 'report#send' };

interface Delivery {
  message?: unknown;
  attempt?: number;
  part?: number;
  isDirect?: boolean;
}

/** A run as the stages see it, with a handler that gets this task. */
function runOf({ message = load, attempt = 1, part = 0, isDirect = false }: Delivery = {}) {
  const record = sqsRecord(message, {
    attributes: { ...sqsRecord(message).attributes, ApproximateReceiveCount: String(attempt) },
  });
  const checks: ((task: unknown) => void | Promise<void>)[] = [];
  const run = {
    record: isDirect ? undefined : record,
    context: { awsRequestId: 'request', invokedFunctionArn: 'arn:aws:lambda:us-east-1:1:function:f' },
    part,
    unwrap: () => (isDirect ? { content: message, attributes: {} } : unwrap(record)),
    beforeHandler: (check: (typeof checks)[number]) => void checks.push(check),
    failure: undefined as unknown,
    endsChain: false,
    report: undefined as ((fact: TaskFact) => void) | undefined,
  };
  const handle = (task: unknown = message) => checks.forEach((check) => void check(task));
  return { run: run as unknown as TaskRun & { failure?: unknown; endsChain: boolean }, handle };
}

/** The events of a run whose inner stages are `work`. */
async function eventsOf(
  { run }: ReturnType<typeof runOf>,
  work: () => unknown = () => {},
  options?: ObserveOptions,
): Promise<DeliveryEvent[]> {
  const events: DeliveryEvent[] = [];
  await observeTask(
    run,
    async () => void (await work()),
    (event) => void events.push(event),
    options,
  ).catch(() => {});
  return events;
}

const typesOf = (events: readonly DeliveryEvent[]) => events.map(({ type }) => type);
const fail = (error: unknown = new Error('no')) => {
  throw error;
};

describe('the events of a task', () => {
  test('have what the message says', async () => {
    const [received] = await eventsOf(runOf());
    expect(received).toMatchObject({
      type: 'received',
      taskName: 'load',
      callback: 'report#send',
      attempt: 1,
      sentAt: Date.parse('2019-08-05T14:20:56.440Z'),
    });
    expect(received).not.toHaveProperty('part');
    const [ending] = await eventsOf(runOf({ message: { task_name: 'load', task_kwargs: {} } }));
    expect(ending).not.toHaveProperty('callback');
    expect((await eventsOf(runOf({ part: 2, attempt: 3 })))[0]).toMatchObject({ part: 2, attempt: 3 });
  });

  test('have the name of the task that the handler gets', async () => {
    const delivery = runOf({ message: { pointer: 'somewhere' } });
    const events = await eventsOf(delivery, () => delivery.handle({ task_name: 'stored', task_kwargs: {} }));
    expect(events.map(({ type, taskName }) => [type, taskName])).toEqual([
      ['received', undefined],
      ['started', 'stored'],
      ['succeeded', 'stored'],
    ]);
    const other = runOf();
    const started = await eventsOf(other, () => other.handle('not a task'));
    expect(started.map(({ taskName }) => taskName)).toEqual(['load', 'load', 'load']);
  });

  test('say what follows, and only then', async () => {
    const delivery = runOf();
    const next = (role: 'callback' | 'error', taskName: string): TaskFact => ({
      type: 'published',
      messages: [{ role, taskName, messageId: 'm' }],
    });
    const events = await eventsOf(delivery, () => {
      delivery.run.report?.(next('callback', 'report'));
      delivery.run.report?.(next('error', 'cleanup'));
    });
    expect(typesOf(events)).toEqual(['received', 'published', 'published', 'succeeded']);
    expect(events.at(-1)).toHaveProperty('next', ['report']);
    expect((await eventsOf(runOf())).at(-1)).not.toHaveProperty('next');
  });

  test('measure the handler until it returns, not what is sent after it', async () => {
    const delivery = runOf();
    const events = await eventsOf(delivery, async () => {
      delivery.handle();
      delivery.run.report?.({ type: 'returned' });
      delivery.run.report?.({ type: 'returned' });
      await new Promise((resolve) => setTimeout(resolve, 60));
    });
    expect((events.at(-1) as { durationMillis: number }).durationMillis).toBeLessThan(50);
    // Without a handler there is nothing to measure.
    expect((await eventsOf(runOf())).at(-1)).not.toHaveProperty('durationMillis');
  });

  test('have a stack unless it is switched off', async () => {
    const failed = async (options?: ObserveOptions) => (await eventsOf(runOf(), fail, options)).at(-1);
    expect(await failed()).toHaveProperty('error.stack');
    expect(await failed({ stacks: true })).toHaveProperty('error.stack');
    expect(await failed({ stacks: false })).not.toHaveProperty('error.stack');
  });
});

describe('the events of a failure', () => {
  test.each<[string, TaskFact, Delivery, ObserveOptions, string[]]>([
    ['comes back', { type: 'retried', delaySeconds: 5 }, {}, {}, ['failed', 'retried']],
    ['is dead-lettered', { type: 'deadLettered', queue: 'q' }, {}, {}, ['failed', 'deadLettered']],
    [
      'is dead-lettered on its last receive',
      { type: 'deadLettered', queue: 'q' },
      { attempt: 3 },
      { maxReceiveCount: 3 },
      ['failed', 'deadLettered'],
    ],
    [
      'was to come back on its last receive',
      { type: 'retried', delaySeconds: 5 },
      { attempt: 3 },
      { maxReceiveCount: 3 },
      ['failed', 'deadLettered'],
    ],
    [
      'comes back before its last receive',
      { type: 'retried', delaySeconds: 5 },
      { attempt: 2 },
      { maxReceiveCount: 3 },
      ['failed', 'retried'],
    ],
  ])('that %s come in order', async (_, fact, delivered, options, expected) => {
    const delivery = runOf(delivered);
    const work = () => {
      delivery.run.report?.(fact);
      fail();
    };
    const events = await eventsOf(delivery, work, options);
    expect(typesOf(events)).toEqual(['received', ...expected]);
    const times = events.map(({ at }) => at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    // The queue is known only where a stage sent the message to it.
    if (fact.type === 'deadLettered') expect(events.at(-1)).toHaveProperty('queue', 'q');
  });

  test('that nothing repeats end there', async () => {
    expect(typesOf(await eventsOf(runOf({ isDirect: true }), fail))).toEqual([
      'received',
      'failed',
      'deadLettered',
    ]);
  });

  test('that a stage handled are those of a failure', async () => {
    const delivery = runOf();
    const events = await eventsOf(delivery, () => {
      delivery.run.report?.({ type: 'deadLettered', queue: 'q' });
      Object.assign(delivery.run, { failure: new Error('bad') });
    });
    expect(typesOf(events)).toEqual(['received', 'failed', 'deadLettered']);
    expect(events[1]).toHaveProperty('error.message', 'bad');
  });
});

describe('a second observer', () => {
  test('gets the earlier events too, and the task is observed once', async () => {
    const delivery = runOf();
    const inner: DeliveryEvent[] = [];
    const outer = await eventsOf(delivery, () =>
      observeTask(
        delivery.run,
        async () => delivery.handle(),
        (event) => void inner.push(event),
        { stacks: false },
      ),
    );
    expect(typesOf(outer)).toEqual(['received', 'started', 'succeeded']);
    expect(inner).toEqual(outer);
  });
});

describe('a message to gather', () => {
  const group = formatGroupId('0'.repeat(15), 1_790_000_000_000);
  const deadline = { task_name: 'gather', task_kwargs: {}, callback: deadlineCallback(group) };

  test('has no events as long as it does nothing', async () => {
    const delivery = runOf({ message: deadline });
    expect(await eventsOf(delivery)).toEqual([]);
  });

  test('has all of them, in the chain of its group, once it does something', async () => {
    const delivery = runOf({ message: deadline });
    const events = await eventsOf(delivery, () =>
      delivery.run.report?.({
        type: 'published',
        chainId: 'chain-of-the-group',
        messages: [{ role: 'callback', taskName: 'album', messageId: 'm' }],
      }),
    );
    expect(events.map(({ type, chainId }) => [type, chainId])).toEqual([
      ['received', 'chain-of-the-group'],
      ['published', 'chain-of-the-group'],
      ['succeeded', 'chain-of-the-group'],
    ]);
    expect(typesOf(await eventsOf(runOf({ message: deadline }), fail))).toEqual(['received', 'failed']);
  });

  test('is one only by its name and its callback', async () => {
    for (const over of [{ task_name: 'other' }, { callback: 'report' }, { callback: null }]) {
      const events = await eventsOf(runOf({ message: { ...deadline, ...over } }));
      expect(typesOf(events)).toEqual(['received', 'succeeded']);
    }
  });
});
