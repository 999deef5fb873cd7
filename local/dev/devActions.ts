import { ajson } from '../../core/ajson/index.ts';
import { markRaw } from '../../core/ajson/markRaw.ts';
import { raw } from '../../core/ajson/raw.ts';
import { checkTask } from '../../core/batch/unwrapTask.ts';
import type { ChainEvent } from '../../core/chains/ChainEvent.ts';
import { AlgernonError } from '../../core/errors.ts';
import { parsePointer } from '../../core/storedData/pointer.ts';
import { parseStoredBody } from '../../core/storedData/storedBody.ts';
import { s3ObjectStore } from '../../middlewares/aws/s3ObjectStore.ts';
import { sendTask } from '../../middlewares/sendTask.ts';
import { bindQueue } from '../queueCalls.ts';
import { type FoundMessage, type OpenQueue, readMessages } from '../queueMessages.ts';
import { replaceTask } from '../redriveMessage.ts';
import { redriveMessages } from '../redriveMessages.ts';
import type { LocalAws } from '../startLocalAws.ts';
import {
  type DeadLetter,
  type DevTask,
  maxTextLength,
  type ObjectEntry,
  type QueueDepth,
  type RedriveAnswer,
  type RedriveRequest,
  type SendRequest,
} from './protocol.ts';

/** The AWS that the dev server works with. */
export type DevAws = Pick<LocalAws, 'endpoint' | 'bucket' | 's3' | 'sns' | 'sqs'>;

/** The queries and commands of the page. */
export interface DevActions {
  deadLetters(): Promise<DeadLetter[]>;
  redrive(request: RedriveRequest): Promise<RedriveAnswer>;
  send(request: SendRequest): Promise<{ chainId: string; messageId: string }>;
  readObject(pointer: string): Promise<ObjectEntry>;
  depths(): Promise<Record<string, QueueDepth>>;
}

/** The most dead letters of one task that are listed. */
const maxLetters = 1000;
/** The largest object that is read, in bytes. */
const maxObjectBytes = 64 * 1024 * 1024;
/** How long dead letters are hidden from others while they are read or sent, in seconds. */
const hiddenSeconds = 60;

export interface ActionOptions {
  readonly aws: DevAws;
  /** The tasks as they are now: a reload may change them. */
  tasks(): readonly DevTask[];
  /** Gets the event of a task that was sent. */
  onSent(events: readonly ChainEvent[]): void;
}

export function devActions({ aws, tasks, onSent }: ActionOptions): DevActions {
  const store = s3ObjectStore({ s3: aws.s3 });
  const events = { write: onSent, lingerMillis: 0 };
  // One reader of a dead-letter queue hides its messages from the next.
  const inTurn = takeTurns();

  const taskOf = (name: string): DevTask => {
    const found = tasks().find((task) => task.name === name);
    if (found) return found;
    const names = tasks().map((task) => task.name);
    throw new AlgernonError(
      'TASK_NOT_FOUND',
      `There is no task ${name}. The tasks are: ${names.join(', ') || 'none'}.`,
    );
  };
  const openDeadLetters = async ({ deadLetterUrl: url }: DevTask): Promise<OpenQueue> => ({
    url,
    arn: '',
    calls: await bindQueue(aws.sqs, url),
  });

  return {
    deadLetters: () =>
      inTurn(async () => {
        const lists = await Promise.all(
          tasks().map(async (task) => {
            const queue = await openDeadLetters(task);
            const { messages, release } = await readMessages(queue, { limit: maxLetters, hiddenSeconds });
            await release();
            return messages.map((message) => letterOf(task, message));
          }),
        );
        return lists.flat();
      }),

    redrive: ({ taskName, ids, text }) =>
      inTurn(async () => {
        const task = taskOf(taskName);
        const dead = await openDeadLetters(task);
        // A bad text fails the request before a message is received.
        if (text !== undefined) checkTask(raw(text));
        const messages = await redriveMessages({
          sqs: aws.sqs,
          taskName,
          queueUrl: task.queueUrl,
          deadLetters: dead,
          ids,
          ...(text !== undefined && { bodyOf: (message) => replaceTask(message, text) }),
        });
        if (ids && messages.every(({ code }) => code === 'MESSAGE_NOT_FOUND'))
          throw notInQueue(taskName, ids);
        return { sent: messages.filter(({ outcome }) => outcome === 'sent').length, messages };
      }),

    async send({ text, delaySeconds = 0 }) {
      const { task_name, task_kwargs, callback } = checkTask(raw(text));
      const { topicArn, queueUrl } = taskOf(task_name);
      return sendTask(
        { task_name, task_kwargs: markRaw(task_kwargs ?? {}), callback },
        {
          s3: aws.s3,
          sns: aws.sns,
          sqs: aws.sqs,
          bucket: aws.bucket,
          topics: { [task_name]: topicArn },
          queues: { [task_name]: queueUrl },
          events,
          ...(delaySeconds > 0 && { delaySeconds }),
        },
      );
    },

    async readObject(pointer) {
      const address = parsePointer(pointer);
      // On AWS, a message must not lead to any bucket that these credentials can read.
      if (aws.endpoint === 'aws' && address.bucket !== aws.bucket) {
        throw new AlgernonError(
          'BUCKET_NOT_ALLOWED',
          `The bucket ${address.bucket} is not that of this run.`,
        );
      }
      let bytes = 0;
      const admit = (more: number) => {
        bytes += more;
        if (bytes > maxObjectBytes)
          throw new AlgernonError('OBJECT_TOO_LARGE', 'The object has more than 64 MB.');
      };
      const { value } = parseStoredBody(await store.get(address, { admit }), pointer);
      const text = wireText(value);
      return { kind: 'object', pointer, text: text.slice(0, maxTextLength), length: text.length };
    },

    async depths() {
      const entries = await Promise.all(
        tasks().map(async ({ name, queueUrl, deadLetterUrl }) => {
          const [queue, dead] = await Promise.all(
            [queueUrl, deadLetterUrl].map(async (url) => (await bindQueue(aws.sqs, url)).count()),
          );
          const depth: QueueDepth = {
            waiting: queue?.waiting ?? 0,
            inFlight: queue?.hidden ?? 0,
            delayed: queue?.delayed ?? 0,
            // Those that are being read are hidden.
            deadLetters: (dead?.waiting ?? 0) + (dead?.hidden ?? 0),
          };
          return [name, depth] as const;
        }),
      );
      return Object.fromEntries(entries);
    },
  };
}

function letterOf({ name }: DevTask, message: FoundMessage): DeadLetter {
  const { record, content, chainId, snsId, attributes } = message;
  const reason = attributes['failure_reason'];
  return {
    id: record.messageId,
    // The task of the queue: a redrive must find it, also if the message names another one.
    taskName: name,
    chainId,
    messageId: snsId,
    sentAt: Number(record.attributes.SentTimestamp) || 0,
    receiveCount: Number(record.attributes.ApproximateReceiveCount) || 0,
    ...(reason !== undefined && { reason }),
    text: (content === undefined ? record.body : wireText(content)).slice(0, maxTextLength),
  };
}

function wireText(value: unknown): string {
  return ajson.dumps(typeof value === 'object' && value !== null ? markRaw(value) : value);
}

function notInQueue(taskName: string, ids: readonly string[]): AlgernonError {
  return new AlgernonError(
    'MESSAGE_NOT_FOUND',
    `The dead-letter queue of ${taskName} does not have: ${ids.join(', ')}. Nothing was sent.`,
  );
}

/** Makes a function that runs one piece of work after the other. */
function takeTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work, work);
    last = result.catch(() => {});
    return result;
  };
}
