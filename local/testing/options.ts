import {
  checkOption,
  checkOptions,
  either,
  flag,
  func,
  listOf,
  type OptionCheck,
  object,
  text,
  whole,
} from '../../core/checkOptions.ts';
import { AlgernonError, OptionError } from '../../core/errors.ts';
import type { TaskDefinitions } from '../../core/tasks/defineTasks.ts';
import { routedTasks } from '../../core/tasks/routedTasks.ts';
import type { AwsCall, Fault } from '../serverControl.ts';
import type { LocalAws } from '../startLocalAws.ts';
import type { WorkerOptions } from '../workerOptions.ts';

/** Options of `testWorker`. */
export interface TestWorkerOptions<T extends TaskDefinitions = TaskDefinitions, C extends object = object>
  extends Pick<
    WorkerOptions,
    | 'batchSize'
    | 'fifo'
    | 'maxReceiveCount'
    | 'name'
    | 'rawMessageDelivery'
    | 'reportBatchItemFailures'
    | 'timeoutSeconds'
    | 'visibilityTimeoutSeconds'
  > {
  /**
   * The names of the tasks, or their definitions by `defineTasks`, which give the types of this worker. Default: all tasks
   * that `routeTasks` has in this process.
   */
  tasks?: T | readonly string[];
  /**
   * Tasks of other workers. They have queues, but are not run: see `sent`. Default: of the defined tasks, those that
   * `routeTasks` does not have.
   */
  otherTasks?: readonly string[];
  /** Replaces properties of the context, such as resources. Default: none. */
  context?: ContextParts<C>;
  /** Gets each call of the handler's clients, and returns the fault of that call, or undefined. Default: no faults. */
  faults?: (call: AwsCall) => Fault | undefined;
  /** The value of `startLocalAws()`. Default: it is started, `process.env` gets its variables, and `stop` restores them. */
  aws?: LocalAws;
  /** Whether the lines of lambdaLogged are printed too. Default false. */
  printLogs?: boolean;
}

/** Replacements for properties of the context: a value will do where the context has a promise. */
export type ContextParts<C> = { readonly [K in keyof C]?: C[K] | Awaited<C[K]> };

const owner = 'testWorker';

const localAws: OptionCheck = {
  expected: 'the value of startLocalAws()',
  test: (value) => typeof (value as Partial<LocalAws> | null)?.onStop === 'function',
};

/**
 * Checks the arguments of `testWorker`. Options of the worker are checked by `readWorkerOptions`.
 *
 * @throws OptionError
 */
export function checkTestOptions(handler: unknown, options: TestWorkerOptions): void {
  checkOption(owner, 'handler', handler, func);
  const worker = { expected: 'an option of startWorker', test: () => true };
  checkOptions(owner, options, {
    tasks: either(listOf(text('the name of a task')), object),
    otherTasks: listOf(text('the name of a task')),
    context: object,
    faults: func,
    aws: localAws,
    printLogs: flag,
    batchSize: whole(1, 10),
    fifo: worker,
    maxReceiveCount: worker,
    name: worker,
    rawMessageDelivery: worker,
    reportBatchItemFailures: worker,
    timeoutSeconds: worker,
    visibilityTimeoutSeconds: worker,
  });
}

/** The tasks of a test. */
export interface TestedTasks {
  /** The tasks that the handler serves. */
  readonly served: readonly string[];
  /** The tasks of other workers, which are not run. */
  readonly others: readonly string[];
  /** The definitions, which check what is sent. */
  readonly definitions: TaskDefinitions | undefined;
}

/**
 * Finds the tasks: those of the option, or those of `routeTasks`. Of defined tasks, those that `routeTasks` does not have
 * belong to other workers.
 *
 * @throws AlgernonError `NO_TASKS` when there are none
 */
export function testedTasks({ tasks, otherTasks = [] }: TestWorkerOptions): TestedTasks {
  const isList = Array.isArray(tasks);
  const definitions = isList ? undefined : (tasks as TaskDefinitions | undefined);
  const routed = routedTasks();
  const named = isList ? (tasks as readonly string[]) : Object.keys(definitions ?? {});
  const isRouted = (name: string) => routed.includes(name);
  const served = definitions && named.some(isRouted) ? named.filter(isRouted) : named;
  const all = tasks === undefined ? routed.filter((name) => !otherTasks.includes(name)) : served;
  if (all.length === 0) {
    throw new AlgernonError(
      'NO_TASKS',
      'testWorker does not know the tasks of this handler. Pass their names in the option tasks, or use routeTasks.',
    );
  }
  const both = otherTasks.find((name) => all.includes(name));
  if (both !== undefined) throw new OptionError(`${owner}: ${both} is in both tasks and otherTasks.`);
  const others = new Set([...named.filter((name) => !all.includes(name)), ...otherTasks]);
  return { served: all, others: [...others], definitions };
}
