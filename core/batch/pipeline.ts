import { AlgernonError } from '../errors.ts';
import { type Deadline, startDeadline } from './deadline.ts';
import type { LambdaContext, TaskRecord } from './events.ts';
import { Ledger } from './ledger.ts';
import { compareStages, type Stage } from './stage.ts';

/** The stages and the ledger of one batch. It travels on the Lambda context. */
export interface Pipeline {
  readonly kind: 'sqs' | 'sns';
  /** From outside in. */
  readonly stages: readonly Stage[];
  readonly ledger: Ledger;
  /** Properties that every context of this invocation must have, in case a copy has lost them. */
  readonly contextParts: ContextParts[];
  /** The context that was last checked for them. */
  checkedContext: object | undefined;
  /** Whether a middleware logs each failure, so that nothing else needs to. */
  logsFailures: boolean;
  /** Whether `queued` is running the batch. */
  isQueued: boolean;
  /** Whether `queued` has taken the batch, even if it had no time to start anything. */
  wasQueued: boolean;
  deadline: Deadline | undefined;
}

const pipelineKey: unique symbol = Symbol.for('algernon-middy.pipeline');
type Holder = { [pipelineKey]?: Pipeline };

/** Makes the pipeline of a batch. */
export function openPipeline(kind: Pipeline['kind'], records: readonly TaskRecord[]): Pipeline {
  return {
    kind,
    stages: [],
    ledger: new Ledger(records),
    contextParts: [],
    checkedContext: undefined,
    logsFailures: false,
    isQueued: false,
    wasQueued: false,
    deadline: undefined,
  };
}

/**
 * Adds a stage.
 *
 * @param hint what to do instead of declaring the stage twice
 * @throws AlgernonError with the code `DUPLICATE_STAGE` for a second stage of the same name
 */
export function addStage(pipeline: Pipeline, stage: Stage, hint?: string): void {
  if (pipeline.stages.some(({ name }) => name === stage.name)) throw duplicateStage(stage.name, hint);
  const stages = pipeline.stages as Stage[];
  const inner = stages.findIndex((other) => compareStages(stage, other) < 0);
  stages.splice(inner === -1 ? stages.length : inner, 0, stage);
}

/** The error for a stage that is in a stack twice. */
export function duplicateStage(name: string, hint = 'remove one of them'): AlgernonError {
  return new AlgernonError('DUPLICATE_STAGE', `${name} is in the stack twice: ${hint}.`, { retryable: true });
}

/** The pipeline on a context. */
export function pipelineOf(context: unknown): Pipeline | undefined {
  return (context as Holder | null | undefined)?.[pipelineKey];
}

/**
 * The property that carries a pipeline on a context: enumerable so that a copy keeps it, configurable so that a stack inside
 * a stack can replace it on its own copy.
 */
export function pipelineProperty(pipeline: Pipeline): PropertyDescriptorMap {
  return { [pipelineKey]: { value: pipeline, enumerable: true, configurable: true } };
}

const directKey: unique symbol = Symbol.for('algernon-middy.direct');

/** The property that marks the context of a direct invocation in a stack with middlewares of this library. */
export const directProperty: PropertyDescriptorMap = /* @__PURE__ */ Object.fromEntries([
  [directKey, { value: true, enumerable: true }],
]);

/** Whether a middleware of this library serves this direct invocation. */
export function isDirectContext(context: unknown): boolean {
  return (context as { [directKey]?: true } | null | undefined)?.[directKey] === true;
}

/** The deadline of a batch. A loop that calls `runTask` gets the default reserve. */
export function deadlineOf(pipeline: Pipeline, context: LambdaContext): Deadline {
  pipeline.deadline ??= startDeadline(context, defaultReserveMillis);
  return pipeline.deadline;
}

/** Stops the timer of a loop's deadline. `queued` clears its own. */
export function clearDeadline(pipeline: Pipeline | undefined): void {
  if (pipeline && !pipeline.isQueued) pipeline.deadline?.clear();
}

export const defaultReserveMillis = 500;

/** Properties for the context of an invocation. */
export interface ContextParts {
  readonly own: PropertyDescriptorMap;
  /** An object with more properties, made once for all contexts to inherit: a thousand getters take 2 ms to define. */
  readonly inherited?: object | undefined;
}

const originalKey: unique symbol = Symbol.for('algernon-middy.originalContext');

/**
 * A copy of a context with more properties. Accessors stay accessors: `callbackWaitsForEmptyEventLoop` is one on Lambda, and
 * setting it must reach the runtime.
 */
export function extendContext<C extends object>(context: C, parts: ContextParts): C {
  const extended: Record<PropertyKey, unknown> = Object.create(Object.getPrototypeOf(context));
  for (const key of Reflect.ownKeys(context)) {
    const descriptor = Object.getOwnPropertyDescriptor(context, key) as PropertyDescriptor;
    const { value, writable, enumerable, configurable } = descriptor;
    // Assigning is three times as fast as defining, and each batch has its context copied.
    if (writable && enumerable && configurable && !(key in extended)) extended[key] = value;
    // A stack within a task replaces the parts of the outer one, which need not be configurable.
    else if (configurable || !Object.hasOwn(parts.own, key)) Object.defineProperty(extended, key, descriptor);
  }
  addParts(extended, parts);
  Object.defineProperty(extended, originalKey, { value: originalContext(context) });
  return extended as C;
}

/** Adds properties to a context that belongs to this invocation alone. */
export function addParts(context: object, { own, inherited }: ContextParts): void {
  // Defining all in one call takes twice as long.
  for (const key of Reflect.ownKeys(own)) {
    Object.defineProperty(context, key, own[key as string] as PropertyDescriptor);
  }
  if (!inherited) return;
  if (Object.getPrototypeOf(context) === Object.prototype) Object.setPrototypeOf(context, inherited);
  else Object.defineProperties(context, Object.getOwnPropertyDescriptors(inherited));
}

/** Adds the parts of a context again to a copy that another middleware has made. */
export function restoreParts(pipeline: Pipeline, context: object): void {
  if (pipeline.checkedContext === context) return;
  for (const parts of pipeline.contextParts) if (!hasParts(context, parts)) addParts(context, parts);
  pipeline.checkedContext = context;
}

function hasParts(context: object, { own, inherited }: ContextParts): boolean {
  if (Reflect.ownKeys(own).some((key) => !(key in context))) return false;
  if (!inherited || Object.prototype.isPrototypeOf.call(inherited, context)) return true;
  return Reflect.ownKeys(inherited).every((key) => key in context);
}

/** The context as Lambda gave it, behind one that was extended. */
export function originalContext<C extends object>(context: C): C {
  return (context as { [originalKey]?: C })[originalKey] ?? context;
}

const directRuns = new WeakMap<object, number>();

/**
 * Counts the direct invocations with one Lambda context, from 0: a handler may call a stack for each record of a batch,
 * and each of these tasks needs its own identity.
 */
export function countDirectRun(context: object): number {
  const holder = pipelineOf(context) ?? originalContext(context);
  const count = directRuns.get(holder) ?? 0;
  directRuns.set(holder, count + 1);
  return count;
}
