import { randomUUID } from 'node:crypto';
import { ajson } from '../../../core/ajson/index.ts';
import { markRaw } from '../../../core/ajson/markRaw.ts';
import type { SqsRecord } from '../../../core/batch/events.ts';
import { AlgernonError } from '../../../core/errors.ts';
import { isTask, type Task } from '../../../core/tasks/task.ts';
import { type FoundMessage, openMessage, readMessages } from '../../queueMessages.ts';
import { type Command, defineCommand, UsageError } from '../command.ts';
import { readInput } from '../input.ts';
import type { Target } from '../openTarget.ts';
import { openText } from '../openText.ts';
import { type Output, plain } from '../output.ts';
import { findDeadLetters, findQueue } from '../queues.ts';
import { resolvePointers } from '../resolvePointers.ts';
import type { Copy, Outcome } from '../runHere.ts';

/** Runs the code of this machine on a message. */
export const replay: Command = defineCommand({
  name: 'replay',
  usage: 'ID|-',
  args: [1, 1],
  summary: 'run the worker on this machine on a dead letter, without publishing',
  description:
    'Fetches a message of a dead-letter queue and the objects that its pointers lead to, and runs the worker of this machine\n' +
    'on it. The message stays in its queue. The worker gets local SNS, SQS and S3 with copies of these objects; what it\n' +
    'publishes and stores is shown and goes nowhere. Other services, such as a database, are not replaced. "-" reads a\n' +
    'message from standard input, in any form that decode reads.',
  options: {
    task: { type: 'string', value: 'TASK', help: 'the task in whose dead-letter queue the message is' },
    worker: {
      type: 'string',
      value: 'FILE',
      help: 'the worker, which exports handler (or FILE#NAME); default worker.ts',
    },
    bucket: { type: 'string', multiple: true, value: 'NAME', help: 'a bucket that pointers may lead to' },
  },
  examples: [
    [
      'algernon-middy replay 5f2d8c1e-9a77-4b7e-8d4c-3f1f0a6b2c9d --task resize --profile prod',
      'a dead letter of AWS',
    ],
    ['algernon-middy replay - --worker src/worker.ts < message.json', 'a message in a file'],
    ['node --inspect-brk node_modules/.bin/algernon-middy replay - < message.json', 'in a debugger'],
  ],
  async run({ values, args: [id = ''], out, target }) {
    const { content, record } =
      id === '-' ? await readMessage() : await findMessage(await target(), id, values.task);
    const copies: Copy[] = [];
    const hasPointers = pointerNames.test(record.body);
    const resolved = hasPointers
      ? await resolvePointers(content, await target(), {
          buckets: values.bucket ?? [],
          onRead: (address, text) => void copies.push({ ...address, text }),
        })
      : content;
    const task = isTask(content) ? content : resolved;
    if (!isTask(task)) throw new AlgernonError('NOT_A_TASK', 'The message is not a task.');
    const bucket = (hasPointers ? (await target()).bucket : undefined) ?? process.env.ALGERNON_BUCKET_NAME;
    if (out.isJson) console.log = console.info = console.debug = console.error;
    const { runHere } = await import('../runHere.ts');
    const outcome = await runHere(task, record, { worker: values.worker ?? 'worker.ts', copies, bucket });
    out.json({ task: content, ...outcome, read: copies.map(({ bucket, key }) => ({ bucket, key })) });
    out.say(describe(task, outcome, out));
    return 'error' in outcome ? 1 : 0;
  },
});

const pointerNames = /StoredData|s3BucketName/;

async function readMessage(): Promise<FoundMessage> {
  const [opened, ...others] = openText(await readInput('-'));
  if (!opened || others.length > 0) throw new UsageError(`expected one message, not ${others.length + 1}.`);
  const { content, attributes, messageId = randomUUID() } = opened;
  const messageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, stringValue]) => [name, { stringValue, dataType: 'String' }]),
  );
  const body = ajson.dumps(typeof content === 'object' && content !== null ? markRaw(content) : content);
  return openMessage({ messageId, messageAttributes, receiptHandle: '', body } as unknown as SqsRecord);
}

async function findMessage(target: Target, id: string, task: string | undefined): Promise<FoundMessage> {
  if (task === undefined)
    throw new UsageError('--task TASK is missing: the message is looked for in its dead-letter queue.');
  const queue = await findDeadLetters(target, await findQueue(target, task));
  const { waiting } = await queue.calls.count();
  const { messages, release } = await readMessages(queue, {
    limit: waiting + 10,
    hiddenSeconds: 30,
    ids: [id],
  });
  await release();
  const found = messages.find(({ record }) => record.messageId === id);
  if (found) return found;
  const ids = messages.slice(0, 20).map(({ record }) => record.messageId);
  throw new AlgernonError(
    'MESSAGE_NOT_FOUND',
    `There is no message ${id} in ${queue.url}. It has: ${ids.join(', ') || 'none'}.`,
  );
}

function describe({ task_name }: Task, { result, error, logs, published }: Outcome, out: Output): string {
  return [
    ...logs.map(({ level, message }) => `${level}  ${plain(message)}`),
    ...published.map(
      ({ topicArn, message }) => `would publish to ${plain(topicArn.split(':').at(-1))}: ${plain(message)}`,
    ),
    error === undefined
      ? `${plain(task_name)} succeeded: ${out.show(result)}`
      : `${plain(task_name)} failed: ${(error.stack ?? error.message).split('\n').map(plain).join('\n')}`,
  ].join('\n');
}
