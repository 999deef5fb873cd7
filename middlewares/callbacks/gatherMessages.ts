// Imported, so that a test's fake timers do not stop it.
import { setImmediate } from 'node:timers';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import type { Outcome, SnsPublisher } from '../aws/snsPublisher.ts';
import { startTimer } from '../timing/startTimer.ts';

/** Sends a message, and resolves to the id that SNS gave it. */
export type Send = (message: TaskMessage) => Promise<string>;

/** The limit of SNS for one PublishBatch. `snsPublisher` has it too: importing that would load all of it. */
const maxEntries = 10;

/** The approximate limit for the characters of all waiting messages. */
const maxWaitingLength = 1_048_576;

/** A message waits at most this many times as long as for one other message. */
const maxLingers = 10;

/** The messages of one invocation. */
export interface GatheredMessages {
  /** Runs a task that may send messages. */
  during<T>(work: (send: Send) => Promise<T>): Promise<T>;
  /** Sends the waiting messages now. */
  leave(): void;
  /** Rejects the waiting messages: the invocation has been answered. */
  drop(error: Error): void;
}

interface Waiting {
  readonly message: TaskMessage;
  readonly since: number;
  settle(outcome: Outcome): void;
}

/**
 * Collects messages that become ready at about the same time, so that few calls are needed. Ten for one topic are sent at
 * once. The others are sent when every running task waits to send, when they have a megabyte, when no further message has
 * come for `lingerMillis`, or when the oldest has waited ten times as long.
 *
 * @param lingerMillis how long a message waits for another one
 */
export function gatherMessages(
  publisher: Pick<SnsPublisher, 'send'>,
  lingerMillis: number,
): GatheredMessages {
  /** The oldest first. */
  const waiting = new Set<Waiting>();
  const byTopic = new Map<string, Waiting[]>();
  let waitingLength = 0;
  let tasksUnderWay = 0;
  let tasksWaiting = 0;
  let stopTimer = () => {};

  /** Takes messages out of those that wait. */
  const take = (leaving: readonly Waiting[]): void => {
    for (const entry of leaving) {
      waiting.delete(entry);
      waitingLength -= entry.message.message.length;
    }
    if (waiting.size === 0) stopTimer();
  };
  const leave = async (leaving: readonly Waiting[]): Promise<void> => {
    take(leaving);
    try {
      const outcomes = await publisher.send(leaving.map(({ message }) => message));
      leaving.forEach(({ settle }, index) => {
        settle(outcomes[index] as Outcome);
      });
    } catch (error) {
      for (const { settle } of leaving) settle({ error: error as Error });
    }
  };
  const takeAll = (): Waiting[] => {
    const all = [...waiting];
    byTopic.clear();
    take(all);
    return all;
  };
  const leaveAll = (): void => {
    if (waiting.size > 0) void leave(takeAll());
  };
  // Not at once: as a task ends or starts to wait, the next one is about to start.
  const leaveIfAllWait = () => {
    if (waiting.size > 0) setImmediate(() => tasksWaiting >= tasksUnderWay && leaveAll());
  };

  const add = (entry: Waiting): void => {
    const { topicArn, message } = entry.message;
    const ofTopic = byTopic.get(topicArn) ?? [];
    waiting.add(entry);
    byTopic.set(topicArn, ofTopic);
    ofTopic.push(entry);
    waitingLength += message.length;
    if (ofTopic.length === maxEntries) {
      byTopic.delete(topicArn);
      void leave(ofTopic);
    } else if (waitingLength > maxWaitingLength) leaveAll();
    restartTimer();
    leaveIfAllWait();
  };
  const restartTimer = (): void => {
    stopTimer();
    const [oldest] = waiting;
    if (!oldest) return;
    const left = oldest.since + lingerMillis * maxLingers - performance.now();
    stopTimer = startTimer(Math.min(lingerMillis, left), leaveAll);
  };

  return {
    leave: leaveAll,
    drop(error) {
      for (const { settle } of takeAll()) settle({ error });
    },
    async during(work) {
      let pending = 0;
      const send: Send = (message) =>
        new Promise((resolve, reject) => {
          if (pending === 0) tasksWaiting += 1;
          pending += 1;
          const settle = (outcome: Outcome) => {
            pending -= 1;
            if (pending === 0) tasksWaiting -= 1;
            if ('error' in outcome) reject(outcome.error);
            else resolve(String(outcome.messageId));
          };
          add({ message, since: performance.now(), settle });
        });
      tasksUnderWay += 1;
      try {
        return await work(send);
      } finally {
        tasksUnderWay -= 1;
        leaveIfAllWait();
      }
    },
  };
}
