import type { MiddlewareObj } from '@middy/core';
import type { TaskRun } from '../core/batch/stage.ts';
import { checkOptions, finite, flag, whole } from '../core/checkOptions.ts';
import { OptionError } from '../core/errors.ts';
import { enterTask, openBatchTasks, runAs } from './events/currentTask.ts';
import { type EventTarget, eventTargets, writersOf } from './events/eventWriter.ts';
import { idsOf, observeTask, type TaskListener } from './events/observeTask.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';

/** Options of {@link chainEvents}. */
export interface ChainEventsOptions {
  /** Where the events go: a sink such as `s3Sink()`, a function, or a list of these. */
  to: EventTarget | readonly EventTarget[];
  /** How long the answer of a batch waits for events that are not written yet, in milliseconds. Default 250. */
  waitMillis?: number;
  /** How often SQS delivers a message before it moves it to the dead-letter queue, as set on the queue. Default 3. */
  maxReceiveCount?: number;
  /** Whether the events of failures have the stacks of errors. Default true. */
  stacks?: boolean;
}

/** The shortest time that an invocation keeps for its answer, in milliseconds. */
const answerMillis = 100;

/**
 * Writes an event for each step of each task: received, started, stored, published, succeeded, failed, retried, dead-lettered,
 * joined. `getChain` and `waitForChain` read them, and show a chain as a tree of its tasks.
 *
 * A sink that fails or is slow neither fails nor delays a task: events are written in the background, and the answer of a
 * batch waits for them no longer than `waitMillis`. A failure of a sink is logged once, with the code `EVENTS_NOT_WRITTEN`.
 *
 * Within a task, `sendTask` writes to the same sinks.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * export const handler = middy(queued(worker))
 *   .use(chainEvents({ to: s3Sink({ bucket: 'my-events' }) }))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap())
 *   .use(callbackPublisher());
 */
export function chainEvents(options: ChainEventsOptions): MiddlewareObj {
  const {
    to,
    waitMillis = 250,
    maxReceiveCount = 3,
    stacks = true,
  } = checkOptions('chainEvents', options, {
    to: eventTargets,
    waitMillis: finite('milliseconds', 0),
    maxReceiveCount: whole(1),
    stacks: flag,
  });
  if (to === undefined) throw new OptionError('chainEvents: to is missing. Give it a sink such as s3Sink().');
  const writers = writersOf('chainEvents', 'to', to);

  return stageMiddleware({
    name: 'chainEvents',
    order: { at: 'observe' },
    passive: true,
    twice: 'list all sinks in its option to',
    open({ kind, context, onEnd }) {
      const tasks = openBatchTasks(writers);
      onEnd(async () => {
        tasks.end();
        const left = context?.getRemainingTimeInMillis?.() ?? Number.POSITIVE_INFINITY;
        const millis = Math.max(0, Math.min(waitMillis, left - answerMillis));
        await Promise.all(writers.map((writer) => writer.flush(millis)));
      });
      // A direct invocation's handler is called by Middy, outside of `around`.
      if (kind === 'direct') {
        const messageId = context?.awsRequestId ?? '';
        enterTask(tasks.start({ chainId: messageId, messageId }));
      }
      const listener: TaskListener = (event) => {
        for (const writer of writers) writer.add(event);
      };
      const observe = (run: TaskRun, next: () => Promise<void>) =>
        observeTask(run, next, listener, { maxReceiveCount, stacks });
      return {
        around(run, next) {
          if (!run.record) return observe(run, next);
          return runAs(tasks.start(idsOf(run)), () => observe(run, next));
        },
      };
    },
  });
}
