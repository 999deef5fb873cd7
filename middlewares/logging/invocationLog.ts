import type { Logger } from '@aws-lambda-powertools/logger';
import { DeadlineError } from '../../core/batch/deadline.ts';
import { type LambdaContext, messageIdOf, type TaskRecord } from '../../core/batch/events.ts';
import type { Undone } from '../../core/batch/ledger.ts';
import { GroupHaltedError } from '../../core/batch/runBatch.ts';
import type { Around, TaskRun } from '../../core/batch/stage.ts';
import { unwrap } from '../../core/batch/unwrapTask.ts';
import { chainIdName } from '../../core/tasks/chainId.ts';
import { isTask } from '../../core/tasks/task.ts';
import type { Invocation } from '../middy/stageMiddleware.ts';
import { inScope } from '../tracing/scope.ts';
import type { TaskFacts, Tracing } from '../tracing/tracing.ts';
import { logFailure } from './logFailure.ts';
import type { Invocation as LoggedInvocation, Scope } from './scope.ts';
import { factsOf, factsOfInvocation, keysOf } from './taskFacts.ts';

export interface InvocationLogOptions {
  logger: Logger;
  tracing: Tracing | undefined;
  capturesConsole: boolean;
  coldStart: boolean;
}

/** Logs and traces one invocation. */
export interface InvocationLog {
  /** The scope of lines outside of tasks. */
  readonly scope: Scope;
  /** Logs one task, and traces it. */
  readonly around: Around;
  /** Logs the error of the invocation as a whole. */
  fail(error: unknown): void;
  /** Logs failures that have no line yet. */
  finish(): void;
  /** Logs the summary of a batch, once. */
  summarise(): void;
}

interface OpenTask extends Scope {
  readonly facts: TaskFacts;
}

/** Logs one invocation: each failed task gets one error line, wherever it failed, and a batch gets a summary. */
export function invocationLog(invocation: Invocation, options: InvocationLogOptions): InvocationLog {
  const { kind, records, context } = invocation;
  const { logger, tracing, capturesConsole, coldStart } = options;
  const startedAt = performance.now();
  const counts: Record<string, number> = { bytes_hydrated: 0 };
  /** The logged errors, by message id. */
  const failures = new Map<string, unknown>();
  const openTasks = new Map<string, OpenTask>();
  let loggedError: unknown;
  let isDone = false;
  let isSummarised = false;

  const logged: LoggedInvocation = {
    logger,
    lambdaContext: lambdaContextOf(context, coldStart),
    tracing,
    capturesConsole,
    hasLine: (error) =>
      error !== undefined && (error === invocation.error || [...failures.values()].includes(error)),
    ended: false,
  };
  const scopeOf = (facts: TaskFacts, task: Scope['task']): OpenTask => ({
    invocation: logged,
    keys: keysOf(facts, context?.functionVersion),
    task,
    isRoot: false,
    facts,
  });
  const openTask = (facts: TaskFacts, outgoingAttributes: Record<string, string>): OpenTask => {
    const trace = tracing?.start(facts);
    Object.assign(outgoingAttributes, { [chainIdName]: facts.chainId }, trace?.outgoingAttributes);
    return scopeOf(facts, { outgoingAttributes, trace });
  };
  const fail = (id: string, error: unknown, scope: Scope) => {
    failures.set(id, error);
    inScope(scope, () => logFailure(logger, 'error', 'task failed', error));
  };

  const taskOf = (event: unknown) => openTask(factsOfInvocation(event, context, coldStart), {});
  const direct = kind === 'direct' ? taskOf(invocation.task) : undefined;
  const scope: Scope = {
    invocation: logged,
    keys: direct?.keys ?? { function_version: context?.functionVersion },
    task: direct?.task,
    isRoot: true,
  };

  /** Logs a record that failed outside of `around`, or after it. */
  const logUndone = ({ id, index, state, reason }: Undone) => {
    if (state === 'untouched' || isUnstarted(reason)) return;
    const error = state === 'running' ? new DeadlineError() : reason;
    const open = openTasks.get(id);
    const record = records[index] as TaskRecord;
    const task = open ?? scopeOf(factsOf({ record, unwrap: () => unwrap(record) }, coldStart), undefined);
    if (!failures.has(id)) fail(id, error, task);
    else if (error !== failures.get(id) && !(error instanceof DeadlineError)) {
      inScope(task, () => logFailure(logger, 'warn', 'after the task had failed', error));
    }
    open?.task?.trace?.end({ error });
  };

  const summarise = () => {
    if (isSummarised || records.length === 0) return;
    isSummarised = true;
    const undone = invocation.undone();
    const notStarted = undone.filter(({ state, reason }) => state === 'untouched' || isUnstarted(reason));
    logger.info('batch done', {
      records: records.length,
      // An error of the invocation returns all messages to the queue.
      failed: invocation.error === undefined ? Math.max(failures.size, undone.length) : records.length,
      ...(notStarted.length > 0 && { not_started: notStarted.length }),
      milliseconds: Math.round(performance.now() - startedAt),
      ...counts,
    });
  };

  const failInvocation = (error: unknown) => {
    if (error === loggedError || [...failures.values()].includes(error)) return;
    loggedError = error;
    logFailure(logger, 'error', direct ? 'task failed' : 'invocation failed', error);
  };

  return {
    scope,

    async around(run, next) {
      const task = direct ?? openTask(factsOf(withRecord(run), coldStart), run.outgoingAttributes);
      const trace = task.task?.trace;
      if (direct) {
        Object.assign(run.outgoingAttributes, task.task?.outgoingAttributes);
        return next();
      }
      const id = messageIdOf(run.record as TaskRecord);
      openTasks.set(id, task);
      run.beforeHandler(() => addTaskKeys(task, run));
      try {
        await inScope(task, () => (trace ? trace.run(next) : next()));
        const { failure } = run;
        // The task failed, although its message counts as done.
        if (failure !== undefined) fail(id, failure, task);
        trace?.end(failure === undefined ? undefined : { error: failure });
      } catch (error) {
        if (!failures.has(id) && !isUnstarted(error)) fail(id, error, task);
        trace?.end({ error });
        throw error;
      } finally {
        openTasks.delete(id);
        for (const [count, value] of Object.entries(run.counts)) counts[count] = (counts[count] ?? 0) + value;
      }
    },

    fail: failInvocation,

    finish() {
      if (isDone) return;
      isDone = true;
      const { error } = invocation;
      if (error !== undefined) failInvocation(error);
      if (direct) direct.task?.trace?.end(error === undefined ? undefined : { error });
      else for (const record of invocation.undone()) logUndone(record);
    },

    summarise,
  };

  /** Adds the keys of a task that was stored outside of its message. */
  function addTaskKeys(task: OpenTask, run: TaskRun): void {
    if (task.keys.task_name !== undefined || !isTask(run.task)) return;
    const found = {
      record: run.record as TaskRecord,
      unwrap: () => ({ ...run.unwrap(), content: run.task }),
    };
    Object.assign(task.keys, keysOf(factsOf(found, coldStart), context?.functionVersion));
  }
}

function withRecord(run: TaskRun): { record: TaskRecord; unwrap: TaskRun['unwrap'] } {
  return { record: run.record as TaskRecord, unwrap: run.unwrap };
}

/** A task that was never started has not failed: its message returns to the queue. */
function isUnstarted(error: unknown): boolean {
  return (
    error instanceof GroupHaltedError || (error instanceof DeadlineError && error.code === 'NOT_STARTED')
  );
}

function lambdaContextOf(context: LambdaContext, coldStart: boolean): LoggedInvocation['lambdaContext'] {
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
