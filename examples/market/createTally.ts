import type { ChainEvent, EventSink } from 'algernon-middy';

/** The chain of a message that failed, and its last error. */
export interface Failure {
  chainId: string;
  problem: string;
}

/** Counts the tasks of a worker. It is a sink of chain events. */
export interface Tally extends EventSink {
  /** The tasks of this name that succeeded: their chains, by the ids of their messages. */
  done(task: string): ReadonlyMap<string, string>;
  /** How many tasks of this name failed and have not succeeded since. */
  failing(task: string): number;
  /** The last failure of a message, by the id that it has in its queue. */
  failureOf(recordId: string): Failure | undefined;
  /** How many times a message was redelivered. */
  readonly retries: number;
}

interface TaskCount {
  done: Map<string, string>;
  failing: Set<string>;
}

export function createTally(): Tally {
  const counts = new Map<string, TaskCount>();
  const failures = new Map<string, Failure>();
  let retries = 0;

  const countOf = (task: string): TaskCount => {
    const count = counts.get(task) ?? { done: new Map(), failing: new Set() };
    counts.set(task, count);
    return count;
  };
  const add = (event: ChainEvent): void => {
    const { done, failing } = countOf(event.taskName ?? '');
    const { messageId, chainId } = event;
    if (event.type === 'received' && event.attempt > 1) retries += 1;
    if (event.type === 'failed') {
      failing.add(messageId);
      if (event.recordId) failures.set(event.recordId, { chainId, problem: event.error.message });
    }
    if (event.type === 'succeeded') {
      failing.delete(messageId);
      done.set(messageId, chainId);
    }
  };

  return {
    lingerMillis: 0,
    write: (events) => events.forEach(add),
    done: (task) => countOf(task).done,
    failing: (task) => countOf(task).failing.size,
    failureOf: (recordId) => failures.get(recordId),
    get retries() {
      return retries;
    },
  };
}
