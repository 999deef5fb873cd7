import type { MiddlewareObj } from '@middy/core';
import { isSnsRecord, isTask, stageMiddleware } from 'algernon-middy';
import type { InvocationReport } from 'algernon-middy/local';

/** The chain of a message, and its last error. */
export interface MessageNote {
  chain: string | undefined;
  problem?: string;
}

/** Counts the acknowledged tasks of a worker. */
export interface Tally {
  /** A middleware that notes each message and its errors. */
  middleware: MiddlewareObj;
  /** Counts an invocation, once its messages are acknowledged or left in the queue. */
  add(report: InvocationReport): void;
  /** The chains whose task of this name is done, each once. */
  done(task: string): ReadonlySet<string>;
  /** The chains whose task of this name failed and has not succeeded since. */
  failing(task: string): ReadonlySet<string>;
  noteOf(messageId: string): MessageNote | undefined;
  readonly batches: number;
  /** How many times a message was redelivered. */
  readonly retries: number;
}

export function createTally(): Tally {
  const notes = new Map<string, MessageNote>();
  const done = new Map<string, Set<string>>();
  const failing = new Map<string, Set<string>>();
  const seen = new Set<string>();
  let batches = 0;
  let retries = 0;

  const setOf = (sets: Map<string, Set<string>>, task: string): Set<string> => {
    const existing = sets.get(task) ?? new Set();
    sets.set(task, existing);
    return existing;
  };

  return {
    middleware: stageMiddleware({
      name: 'tally',
      // Outermost, so that it sees the errors of all other stages.
      order: { before: 'policy' },
      async around(run, next) {
        const note: MessageNote = { chain: undefined };
        if (run.record && !isSnsRecord(run.record)) notes.set(run.record.messageId, note);
        try {
          await next();
        } catch (error) {
          note.problem = error instanceof Error ? error.message : String(error);
          throw error;
        } finally {
          note.chain = chainOf(run.task);
        }
      },
    }),

    add({ task, messageIds, failedIds }) {
      batches += 1;
      const failed = new Set(failedIds);
      for (const id of messageIds) {
        if (seen.has(id)) retries += 1;
        seen.add(id);
        const chain = notes.get(id)?.chain;
        if (chain === undefined) continue;
        if (failed.has(id)) {
          if (!setOf(done, task).has(chain)) setOf(failing, task).add(chain);
        } else {
          setOf(done, task).add(chain);
          setOf(failing, task).delete(chain);
        }
      }
    },

    done: (task) => setOf(done, task),
    failing: (task) => setOf(failing, task),
    noteOf: (messageId) => notes.get(messageId),
    get batches() {
      return batches;
    },
    get retries() {
      return retries;
    },
  };
}

function chainOf(task: unknown): string | undefined {
  const { chain } = (isTask(task) && task.task_kwargs) || {};
  return typeof chain === 'string' ? chain : undefined;
}
