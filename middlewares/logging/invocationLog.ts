import type { Logger } from '@aws-lambda-powertools/logger';
import { DeadlineError } from '../../core/errors.ts';
import {
  eventKind,
  type LambdaContext,
  messageIdOf,
  type SqsEvent,
  type TaskRecord,
} from '../../core/tasks/events.ts';
import {
  type DeclaringRequest,
  originalContext,
  outgoingOf,
  type TaskRun,
} from '../../core/tasks/pipeline.ts';
import { isTask } from '../../core/tasks/task.ts';
import { unwrap } from '../../core/tasks/unwrapTask.ts';
import type { RespondingRequest } from '../../core/tasks/watchRequest.ts';
import type { TaskFacts, Tracing } from '../tracing/tracing.ts';
import { logFailure } from './logFailure.ts';
import { currentScope, type Invocation, inScope, type Scope } from './scope.ts';
import { chainIdName, factsOf, factsOfInvocation, keysOf } from './taskFacts.ts';

export interface InvocationLogOptions {
  logger: Logger;
  tracing: Tracing | undefined;
  capturesConsole: boolean;
  coldStart: boolean;
}

/** The lines and the spans of one invocation. */
export interface InvocationLog {
  /** Where the lines come from that no task writes. */
  readonly scope: Scope;
  /** Runs a task of a batch. */
  task(run: TaskRun, next: () => Promise<void>): Promise<void>;
  /** Told of a task once it is there: it may have lain elsewhere than in its message. */
  ready(this: void, run: TaskRun): void;
  /** Told of what the handler returns. */
  outcome(this: void, response: unknown): void;
  /** Writes what is left to say. */
  finish(this: void): void;
}

/** Follows one invocation: each failed task gets one error line, wherever it failed, and the batch a summary. */
export function invocationLog(
  request: DeclaringRequest & RespondingRequest,
  { logger, tracing, capturesConsole, coldStart }: InvocationLogOptions,
): InvocationLog {
  const startedAt = performance.now();
  const context: LambdaContext = originalContext(request.context as LambdaContext);
  const isDirect = eventKind(request.event) === 'direct';
  /** What failed, by the id of its message. */
  const failures = new Map<string, unknown>();
  let bytesHydrated = 0;
  let hasRun = false;
  /** How many failures the answer names. */
  let reported = 0;

  const hasLine = (error: unknown) =>
    error !== undefined && (error === request.error || [...failures.values()].includes(error));
  const invocation: Invocation = {
    logger,
    lambdaContext: lambdaContextOf(context, coldStart),
    tracing,
    capturesConsole,
    hasLine,
    ended: false,
  };

  const open = (facts: TaskFacts, outgoing: Record<string, string>) => {
    const trace = tracing?.start(facts);
    Object.assign(outgoing, { [chainIdName]: facts.chainId }, trace?.outgoing);
    return {
      invocation,
      keys: keysOf(facts, context?.functionVersion),
      task: { outgoing, trace },
      isRoot: false,
    };
  };
  const fail = (id: string, error: unknown, scope: Scope) => {
    failures.set(id, error);
    inScope(scope, () => logFailure(logger, 'error', 'task failed', error));
  };
  /** What came of a failure after its line, such as a dead-letter queue that is not there. */
  const addTo = (failure: unknown, error: unknown, scope: Scope) => {
    if (error === failure || error instanceof DeadlineError) return;
    inScope(scope, () => logFailure(logger, 'warn', 'after the task had failed', error));
  };

  const ofTask = isDirect && isTask(request.event);
  const direct = ofTask
    ? open(factsOfInvocation(request.event, context, coldStart), outgoingOf(request))
    : undefined;
  const scope: Scope = {
    invocation,
    keys: direct?.keys ?? { function_version: context?.functionVersion },
    task: direct?.task,
    isRoot: true,
  };

  const finishDirect = () => {
    const { error } = request;
    if (error !== undefined) logFailure(logger, 'error', ofTask ? 'task failed' : 'invocation failed', error);
    direct?.task.trace?.end(error === undefined ? undefined : { error });
  };
  const finishBatch = () => {
    const { error } = request;
    if (error !== undefined && ![...failures.values()].includes(error)) {
      logFailure(logger, 'error', 'invocation failed', error);
    }
    if (!hasRun && error === undefined) return;
    logger.info('batch done', {
      records: recordsOf(request).length,
      failed: Math.max(failures.size, reported),
      milliseconds: Math.round(performance.now() - startedAt),
      bytes_hydrated: bytesHydrated,
    });
  };

  return {
    scope,

    async task(run, next) {
      hasRun = true;
      const task = open(factsOf(run, coldStart), run.outgoing);
      const { trace } = task.task;
      const work = () => (trace ? trace.run(next) : next());
      try {
        await inScope(task, work);
        const { failure } = run;
        // The message counts as done, and its task has failed all the same.
        if (failure !== undefined) fail(messageIdOf(run.record), failure, task);
        trace?.end(failure === undefined ? undefined : { error: failure });
      } catch (error) {
        const id = messageIdOf(run.record);
        // At the invocation's end it has got its line already.
        if (!failures.has(id)) fail(id, error, task);
        trace?.end({ error });
        throw error;
      } finally {
        bytesHydrated += run.counts.bytesHydrated;
      }
    },

    ready({ record, task, unwrap }) {
      const scope = currentScope();
      if (!scope || scope.keys.task_name !== undefined || !isTask(task)) return;
      const known = { record, unwrap: () => ({ ...unwrap(), content: task }) };
      Object.assign(scope.keys, keysOf(factsOf(known, coldStart), context?.functionVersion));
    },

    outcome(response) {
      hasRun = true;
      if (isDirect) return;
      reported = (response as Partial<SqsBatchResponse> | undefined)?.batchItemFailures?.length ?? 0;
      if (!Array.isArray(response)) return;
      recordsOf(request).forEach((record, index) => {
        const settled = response[index] as Partial<PromiseRejectedResult> | undefined;
        if (settled?.status !== 'rejected') return;
        const id = messageIdOf(record);
        const keys = keysOf(
          factsOf({ record, unwrap: () => unwrap(record) }, coldStart),
          context?.functionVersion,
        );
        const place = { invocation, keys, task: undefined, isRoot: false };
        if (failures.has(id)) addTo(failures.get(id), settled.reason, place);
        else fail(id, settled.reason, place);
      });
    },

    finish: isDirect ? finishDirect : finishBatch,
  };
}

interface SqsBatchResponse {
  batchItemFailures: unknown[];
}

function recordsOf(request: DeclaringRequest): TaskRecord[] {
  return (request.event as Partial<SqsEvent>).Records ?? [];
}

function lambdaContextOf(context: LambdaContext, coldStart: boolean): Invocation['lambdaContext'] {
  const { functionName, functionVersion, invokedFunctionArn, memoryLimitInMB, awsRequestId } = context ?? {};
  const { tenantId } = (context ?? {}) as { tenantId?: string };
  return {
    coldStart,
    functionName,
    functionVersion,
    invokedFunctionArn,
    memoryLimitInMB,
    awsRequestId,
    ...(tenantId !== undefined && { tenantId }),
  };
}
