import { clearDeadline } from '../../core/batch/pipeline.ts';
import type { DirectStage } from './directStage.ts';
import type { GuardedRequest } from './guardRequest.ts';

/** The work that middlewares have registered in one invocation. */
export interface InvocationWork {
  /** The work of each middleware, by an object that belongs to the middleware. */
  readonly parts: Map<object, WorkPart>;
  /** The work for the end of the invocation, of all middlewares. Each item runs once. */
  readonly ends: (() => Promise<void>)[];
  /** The work for each read of the answer. */
  readonly answers: (() => void)[];
  /** Pending while `ends` run, all in a row. */
  ending: Promise<void> | undefined;
}

/** The work of one middleware. */
export interface WorkPart {
  readonly ends: (() => Promise<void>)[];
  readonly failures: ((error: unknown) => void)[];
  /** Its stage in a direct invocation. */
  direct: DirectStage | undefined;
}

export function openPart({ parts }: InvocationWork, owner: object): WorkPart {
  const part: WorkPart = { ends: [], failures: [], direct: undefined };
  parts.set(owner, part);
  return part;
}

/**
 * Registers work for the end of the invocation: it runs in the last hook of its middleware, or when the invocation is cut
 * short.
 */
export function addEnd({ ends }: InvocationWork, part: WorkPart, work: () => void | Promise<void>): void {
  let done: Promise<void> | undefined;
  const end = () => {
    done ??= (async () => work())().catch((error: unknown) => {
      // The tasks are done, whatever happens to the cleanup.
      console.error('Cleaning up after an invocation failed:', error);
    });
    return done;
  };
  part.ends.push(end);
  ends.push(end);
}

/** Runs work for the end of the invocation, last registered first. */
export async function runEnds({ ends }: Pick<WorkPart, 'ends'>): Promise<void> {
  for (const end of ends.toReversed()) await end();
}

/** Ends the invocation now: Middy skips the hooks that are left. */
export function startEnding({ work, pipeline }: GuardedRequest): void {
  work.ending ??= runEnds(work).then(() => {
    clearDeadline(pipeline);
    work.ending = undefined;
  });
}
