import type { TaskMessage, TaskPublisher } from '../../core/tasks/taskPublisher.ts';

/** Sends a message, and resolves once it is sent. */
export type Send = (message: TaskMessage) => Promise<void>;

/**
 * Lets messages that are ready at about the same time leave together. They leave when everything under way
 * waits to send, so nothing waits for nothing; or when the first of them has waited long enough for the rest.
 *
 * @param lingerMillis how long the first may wait for the rest
 */
export function gatherMessages(
  publisher: TaskPublisher,
  lingerMillis: number,
): { during<T>(work: (send: Send) => Promise<T>): Promise<T>; leave(): Promise<void> } {
  let waiting: { message: TaskMessage; settle(error: Error | undefined): void }[] = [];
  let underWay = 0;
  let timer: NodeJS.Timeout | undefined;

  const leave = async () => {
    clearTimeout(timer);
    timer = undefined;
    const leaving = waiting;
    waiting = [];
    if (leaving.length === 0) return;
    try {
      const outcomes = await publisher.publish(leaving.map(({ message }) => message));
      leaving.forEach(({ settle }, index) => {
        settle(outcomes[index]);
      });
    } catch (error) {
      for (const { settle } of leaving) settle(error as Error);
    }
  };
  // Not at once: tasks that start as others end are about to be under way.
  const leaveIfAllWait = () => setImmediate(() => waiting.length >= underWay && leave());

  const send: Send = (message) =>
    new Promise((resolve, reject) => {
      waiting.push({ message, settle: (error) => (error ? reject(error) : resolve()) });
      timer ??= setTimeout(leave, lingerMillis);
      leaveIfAllWait();
    });

  return {
    leave,
    async during(work) {
      underWay += 1;
      try {
        return await work(send);
      } finally {
        underWay -= 1;
        leaveIfAllWait();
      }
    },
  };
}
