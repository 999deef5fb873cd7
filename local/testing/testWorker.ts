import type { SqsRecord } from '../../core/batch/events.ts';
import { unwrap } from '../../core/batch/unwrapTask.ts';
import { chainState } from '../../core/chains/foldChain.ts';
import { memorySink } from '../../core/chains/memorySink.ts';
import { checkOptions, duration, object, text, whole } from '../../core/checkOptions.ts';
import { OptionError } from '../../core/errors.ts';
import type { TaskDefinitions } from '../../core/tasks/defineTasks.ts';
import type { Task } from '../../core/tasks/task.ts';
import { sendTask } from '../../middlewares/sendTask.ts';
import type { LambdaHandler } from '../lambdaTypes.ts';
import { createBatchWorker } from '../processBatch.ts';
import { bindQueue } from '../queueCalls.ts';
import { readDeadLetters } from '../readDeadLetters.ts';
import { createTaskQueue, type QueueAddress, type TaskQueue } from '../taskQueues.ts';
import { defaultMaxReceiveCount, readWorkerOptions } from '../workerOptions.ts';
import { type Attempt, type Observer, observeTasks } from './observeTasks.ts';
import { openTestAws, type TestAws } from './openTestAws.ts';
import { checkTestOptions, type TestedTasks, type TestWorkerOptions, testedTasks } from './options.ts';
import { runDirectly } from './runDirectly.ts';
import { runQueues } from './runQueues.ts';
import type { AttemptFilter, LogLine, QueuedMessage, TestWorker } from './testingTypes.ts';

/**
 * Runs a worker in a test: local AWS in this process, the queues and topics of the tasks, and the handler as Lambda would
 * call it. Works in jest, vitest and node:test.
 *
 * Nothing waits. A message that failed returns when `idle` has nothing else to do, and its receives are counted.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @throws AlgernonError `NO_TASKS` when the tasks are unknown, `TEST_WORKER_RUNNING` when another one runs in this process,
 *   `MISSING_PACKAGE` when `fauxqs` or `@aws-sdk/client-sqs` is not installed
 * @example
 * await using worker = await testWorker(handler, { tasks });
 * await worker.send({ task_name: 'resize', task_kwargs: { image: 'cat.png', width: 200 }, callback: 'describe' });
 * await worker.idle();
 * assert.deepEqual(worker.results('resize'), [{ image: 'cat.png@200' }]);
 */
export async function testWorker<
  const T extends TaskDefinitions = TaskDefinitions,
  C extends object = Record<string, unknown>,
>(handler: LambdaHandler, options: TestWorkerOptions<T, C> = {}): Promise<TestWorker<T, C>> {
  checkTestOptions(handler, options as TestWorkerOptions);
  const tasks = testedTasks(options as TestWorkerOptions);
  const opened = await openTestAws(options.aws);
  try {
    return (await startOn(opened, handler, tasks, options as TestWorkerOptions)) as unknown as TestWorker<
      T,
      C
    >;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function startOn(
  { aws, control, clients, close }: TestAws,
  handler: LambdaHandler,
  { served, others, definitions }: TestedTasks,
  options: TestWorkerOptions,
): Promise<TestWorker> {
  const {
    faults,
    context = {},
    printLogs = false,
    tasks: _,
    otherTasks: __,
    aws: ___,
    ...ofWorker
  } = options;
  const attempts: Attempt[] = [];
  const lines: LogLine[] = [];
  const errors: unknown[] = [];
  const memory = memorySink();
  const onLine = (text: string) => {
    lines.push(JSON.parse(text) as LogLine);
    if (printLogs) process.stdout.write(`${text}\n`);
  };
  const settings = readWorkerOptions({
    ...ofWorker,
    aws: clients,
    handler: observeTasks(handler, {
      context: context as Observer['context'],
      onLine,
      onEvents: (events) => memory.write(events, noSignal),
      maxReceiveCount: options.maxReceiveCount ?? defaultMaxReceiveCount,
      onAttempt: (attempt) => attempts.push(attempt),
    }),
    tasks: [...served, ...others],
    onInvocation({ error }) {
      if (error !== undefined) errors.push(error);
    },
    onError: (error) => errors.push(error),
  });
  const queues = await Promise.all(settings.tasks.map((task) => createTaskQueue(task, settings)));
  const stats = { invocations: 0, failedInvocations: 0, received: 0, deleted: 0, failed: 0, inFlight: 0 };
  const ofServed = queues.filter(({ task }) => served.includes(task));
  const workers = await Promise.all(ofServed.map((queue) => createBatchWorker(queue, settings, stats)));
  if (faults) control.faults = faults;
  const running = runQueues(workers, control);

  const queueOf = (owner: string, taskName: string): TaskQueue => {
    const queue = queues.find(({ task }) => task === taskName);
    if (queue) return queue;
    const names = settings.tasks.join(', ');
    throw new OptionError(
      `${owner}: there is no task ${taskName}. The tasks are: ${names}. See the option otherTasks.`,
    );
  };
  const read = async ({ url, arn }: QueueAddress): Promise<QueuedMessage[]> => {
    const records = await readDeadLetters(await bindQueue(clients.sqs, url), arn);
    return records.map(queuedMessage);
  };
  const attemptsOf = (asked: string | AttemptFilter = {}) => {
    const { taskName, chainId } = typeof asked === 'string' ? { taskName: asked } : checkFilter(asked);
    return attempts.filter(
      (attempt) => matches(attempt.taskName, taskName) && matches(attempt.chainId, chainId),
    );
  };
  let stopped: Promise<void> | undefined;
  const stop = () => {
    if (control.faults === faults) control.faults = undefined;
    unregister?.();
    stopped ??= running.stop().then(close);
    return stopped;
  };
  const unregister = options.aws?.onStop(stop);
  return {
    aws,
    topics: Object.fromEntries(queues.map(({ task, topicArn }) => [task, topicArn])),
    queues: Object.fromEntries(
      queues.map(({ task, url, arn, deadLetter }) => [task, { url, arn, deadLetter }]),
    ),
    errors,
    async send(task, sending = {}) {
      const { topicArn } = queueOf('send', task.task_name);
      const { s3, sns } = clients;
      const how = {
        ...sending,
        events: memory,
        s3,
        sns,
        bucket: aws.bucket,
        topics: { [task.task_name]: topicArn },
      };
      if (!definitions) return sendTask(task, how);
      return sendTask(
        { callback: null, ...task, task_kwargs: task.task_kwargs ?? {} },
        { ...how, tasks: definitions },
      );
    },
    async run(task, parts = {}) {
      const {
        context: replaced = {},
        receiveCount = 1,
        record = {},
      } = checkOptions('run', parts, {
        context: object,
        receiveCount: whole(1),
        record: object,
      });
      const worker = workers.find(({ queue }) => queue.task === task.task_name);
      if (!worker) throw queueOf('run', task.task_name) && notServed(task.task_name, served);
      return runDirectly(task, {
        handler,
        onLine,
        context: { ...context, ...replaced },
        queueArn: worker.queue.arn,
        functionArn: worker.functionArn,
        timeoutSeconds: settings.timeoutSeconds,
        receiveCount,
        record,
      });
    },
    async idle(waiting = {}) {
      const { timeoutSeconds = Number.POSITIVE_INFINITY } = checkOptions('idle', waiting, {
        timeoutSeconds: duration('seconds'),
      });
      await running.idle(timeoutSeconds);
    },
    results: (taskName?: string) =>
      attemptsOf(taskName).flatMap(({ outcome, result }) => (outcome === 'succeeded' ? [result] : [])),
    attempts: attemptsOf,
    chain: (chainId) => chainState(memory.events(chainId)),
    logs: (taskName) => lines.filter(({ task_name }) => matches(task_name, taskName)),
    async deadLetters(taskName) {
      const asked = taskName === undefined ? ofServed : [queueOf('deadLetters', taskName)];
      return (await Promise.all(asked.map(({ deadLetter }) => read(deadLetter)))).flat();
    },
    async sent(taskName) {
      const queue = queueOf('sent', taskName);
      if (served.includes(taskName)) {
        throw new OptionError(
          `sent: this handler takes the messages of ${taskName}. See attempts('${taskName}').`,
        );
      }
      return read(queue);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Memory is written at once. */
const noSignal = { signal: new AbortController().signal };

function checkFilter(filter: AttemptFilter): AttemptFilter {
  return checkOptions('attempts', filter, { taskName: text('a text'), chainId: text('a text') });
}

function matches(taskName: string | undefined, asked: string | undefined): boolean {
  return asked === undefined || taskName === asked;
}

function notServed(taskName: string, served: readonly string[]): OptionError {
  return new OptionError(`run: this handler does not serve ${taskName}. It serves: ${served.join(', ')}.`);
}

function queuedMessage(record: SqsRecord): QueuedMessage {
  const own = Object.entries(record.messageAttributes).map(([name, { stringValue = '' }]) => [
    name,
    stringValue,
  ]);
  try {
    const { content, attributes } = unwrap(record);
    const task = content as Task;
    // failurePolicy adds its reason to the message of SQS, around the envelope.
    return {
      task,
      messageId: record.messageId,
      attributes: { ...attributes, ...Object.fromEntries(own) },
      record,
    };
  } catch {
    const task = { task_name: '' };
    return { task, messageId: record.messageId, attributes: Object.fromEntries(own), record };
  }
}
