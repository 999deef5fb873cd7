import { limitConcurrency } from '../../core/storedData/limitConcurrency.ts';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import { queueOf } from '../aws/queues.ts';
import { fitsMessage } from '../aws/snsMessage.ts';
import { snsPublisher } from '../aws/snsPublisher.ts';
import type { SendTaskOptions, SentTask } from '../sendTask.ts';
import { maxInputBytes, scheduleMessage } from './scheduleMessage.ts';
import { assertStandard, fitsQueue, maxDelaySeconds, sendDelayed } from './sendDelayed.ts';

/** A message, its id if the carrier does not give it one, and its queue unless it goes through its topic. */
interface CarriedMessage extends TaskMessage {
  messageId: string;
  queue: string | undefined;
}

type CarriedOutcome = Omit<SentTask, 'chainId'> | { readonly error: unknown };

/** The way that messages take: through their topics, straight to their queues with a delay, or by a schedule. */
export interface Carrier {
  /**
   * The queue of a task; undefined if it goes through its topic.
   *
   * @throws AlgernonError `QUEUE_NOT_FOUND` or `FIFO_DELAY`
   */
  queueFor(taskName: string, topicArn: string): Promise<string | undefined>;
  /** Whether a message is small enough, not counting tracing attributes. */
  fits(message: TaskMessage): boolean;
  /** Sends messages, and returns the outcome of each in their order. */
  send(messages: readonly CarriedMessage[]): Promise<CarriedOutcome[]>;
}

/** The maximum number of concurrent messages on their way to queues: sixteen calls of ten. */
const maxDelayed = 160;
const maxSchedules = 16;
/** The most bytes around the message in that call: URL, group and deduplication id. */
const maxCallBytes = 2048;

/** Decides how tasks are sent. A time within the longest delay of SQS is a delay, and one in the past is none. */
export function carrierOf(options: SendTaskOptions): Carrier {
  const delaySeconds = delayOf(options);
  if (delaySeconds === 0) return topicCarrier(options);
  return delaySeconds > maxDelaySeconds ? scheduleCarrier(options) : queueCarrier(options, delaySeconds);
}

/** The delay of a task in whole seconds; 0 if it is sent at once. */
export function delayOf({ delaySeconds = 0, at }: Pick<SendTaskOptions, 'delaySeconds' | 'at'>): number {
  return at === undefined ? delaySeconds : Math.max(0, Math.ceil((at.getTime() - Date.now()) / 1000));
}

function topicCarrier({ sns, maxMessageBytes = 262_144 }: SendTaskOptions): Carrier {
  const publisher = snsPublisher({ sns, maxMessageBytes });
  return {
    queueFor: async () => undefined,
    fits: (message) => fitsMessage(message, maxMessageBytes),
    async send(messages) {
      const outcomes = await publisher.send(messages);
      return outcomes.map((outcome) =>
        'error' in outcome ? outcome : { messageId: String(outcome.messageId) },
      );
    },
  };
}

function queueCarrier(options: SendTaskOptions, delaySeconds: number): Carrier {
  const { sqs, queues, maxMessageBytes = 262_144 } = options;
  const limited = limitConcurrency(maxDelayed);
  const send = async ({ queue = '', ...message }: CarriedMessage): Promise<CarriedOutcome> => {
    const delayed = { ...message, queue, delaySeconds };
    const [outcome] = await sendDelayed([delayed], { sqs, maxMessageBytes });
    return outcome && 'error' in outcome ? outcome : { messageId: message.messageId };
  };
  return {
    async queueFor(taskName, topicArn) {
      const queue = await queueOf(taskName, queues, topicArn);
      assertStandard({ topicArn, queue });
      return queue;
    },
    fits: (message) => fitsQueue(message, maxMessageBytes),
    send: (messages) => Promise.all(messages.map((message) => limited(() => send(message)))),
  };
}

function scheduleCarrier(options: SendTaskOptions): Carrier {
  const { at, schedule, scheduler, sqs, queues, maxMessageBytes = 262_144 } = options;
  const limited = limitConcurrency(maxSchedules);
  const send = async ({ queue = '', ...message }: CarriedMessage): Promise<CarriedOutcome> => {
    try {
      const scheduled = { ...message, queue, at: at as Date };
      const settings = {
        schedule: schedule as NonNullable<typeof schedule>,
        scheduler,
        sqs,
        maxMessageBytes,
      };
      return { messageId: message.messageId, scheduleId: await scheduleMessage(scheduled, settings) };
    } catch (error) {
      return { error };
    }
  };
  return {
    queueFor: (taskName, topicArn) => queueOf(taskName, queues, topicArn),
    fits({ message, ...rest }) {
      // The call that Scheduler makes for a FIFO queue escapes the message once more.
      const escaped = { ...rest, message: JSON.stringify(message) };
      return fitsQueue(escaped, Math.min(maxMessageBytes, maxInputBytes - maxCallBytes));
    },
    send: (messages) => Promise.all(messages.map((message) => limited(() => send(message)))),
  };
}
