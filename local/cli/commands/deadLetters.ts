import { type FoundMessage, readMessages } from '../../queueMessages.ts';
import { type Command, defineCommand, UsageError } from '../command.ts';
import { type Output, plain } from '../output.ts';
import { findDeadLetters, findQueue } from '../queues.ts';

/** Shows the messages of a dead-letter queue. */
export const deadLetters: Command = defineCommand({
  name: 'dead-letters',
  usage: 'TASK',
  args: [1, 1],
  summary: 'show the messages in the dead-letter queue of a task',
  description:
    'Shows the messages in the dead-letter queue of a task, which stay there. They are hidden from others while they are\n' +
    'read, for at most 30 seconds, and their receive counts rise.',
  options: {
    limit: { type: 'string', value: 'NUMBER', help: 'how many messages are read; default 100' },
    full: { type: 'boolean', help: 'show all arguments' },
  },
  examples: [
    ['algernon-middy dead-letters resize', 'on local AWS'],
    [
      "algernon-middy dead-letters resize --profile prod --json | jq '.messages[].attributes.failure_reason'",
      'the reasons',
    ],
  ],
  async run({ values, args: [task = ''], out, target }) {
    const limit = readLimit(values.limit);
    const aws = await target();
    const queue = await findDeadLetters(aws, await findQueue(aws, task));
    const { waiting } = await queue.calls.count();
    const { messages, release } = await readMessages(queue, { limit, hiddenSeconds: 30 });
    await release();
    out.json({ queue: queue.url, messages: messages.map(messageJson) });
    for (const message of messages) out.say(describeMessage(message, out, values.full ?? false));
    const rest = waiting > messages.length ? ` of about ${waiting}; see --limit` : '';
    out.say(`${messages.length === 1 ? '1 message' : `${messages.length} messages`}${rest} in ${queue.url}`);
    return 0;
  },
});

function readLimit(limit = '100'): number {
  if (!/^[1-9]\d{0,5}$/.test(limit)) throw new UsageError(`--limit must be a number from 1, not ${limit}.`);
  return Number(limit);
}

/** A message for `--json`. */
export function messageJson({ record, content, chainId, attributes }: FoundMessage): object {
  const { messageId, attributes: facts, body } = record;
  return {
    messageId,
    chainId,
    task: content ?? null,
    attributes,
    sentAt: new Date(Number(facts.SentTimestamp)).toISOString(),
    receiveCount: Number(facts.ApproximateReceiveCount),
    body,
  };
}

/** A message in a few lines. */
export function describeMessage(message: FoundMessage, out: Output, isFull: boolean): string {
  const { record, content, taskName, chainId, attributes } = message;
  const { task_kwargs = {}, callback } = Object(content) as { task_kwargs?: unknown; callback?: unknown };
  const age = ageOf(Number(record.attributes.SentTimestamp));
  const reason = attributes['failure_reason'];
  const head = [
    record.messageId,
    taskName === undefined ? 'not a task' : plain(taskName),
    `sent ${age} ago`,
    ...(callback ? [`callback ${plain(callback)}`] : []),
    `chain ${plain(chainId)}`,
  ].join('  ');
  const kwargs = taskName === undefined ? plain(record.body) : out.show(task_kwargs);
  const shown =
    isFull || kwargs.length <= maxShown ? kwargs : `${plain(kwargs.slice(0, maxShown))}… (--full shows all)`;
  return [head, ...(reason === undefined ? [] : [plain(reason)]), shown].join('\n    ');
}

const maxShown = 500;

function ageOf(sentAt: number): string {
  const seconds = Math.max(0, Math.round((Date.now() - sentAt) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
