export * from './ajson/index.ts';
// What core itself throws. The rest of errors.ts is exported where it is thrown, and costs nothing here.
export {
  AlgernonError,
  BatchFailedError,
  CallbackError,
  DeadlineError,
  type ErrorDetails,
  EventReplacedError,
  GroupHaltedError,
  MessageNotJsonError,
  NonRetryableError,
  NotATaskError,
  OptionError,
  PipelineNotRunError,
  TaskArgumentsError,
  UnknownTaskError,
} from './errors.ts';
export { isFinal } from './isFinal.ts';
export type { ObjectAddress, ObjectStore, ReadOptions } from './storedData/ObjectStore.ts';
export { formatPointer, type PointerParts, parsePointer } from './storedData/pointer.ts';
export { StoredData } from './storedData/StoredData.ts';
export { StoredDataError, type StoredDataErrorCode } from './storedData/StoredDataError.ts';
export {
  type CheckedKwargsOf,
  defineTasks,
  type FittingCallback,
  type KwargsOf,
  type ResultOf,
  type TaskDefinition,
  type TaskDefinitions,
} from './tasks/defineTasks.ts';
export { type ChainEnd, endChain } from './tasks/endChain.ts';
export type * from './tasks/events.ts';
export { type NextTask, nextTask } from './tasks/nextTask.ts';
export {
  type DeclaringRequest,
  declareStage,
  type Pipeline,
  type Stage,
  stageRanks,
  type TaskRun,
} from './tasks/pipeline.ts';
export { type QueuedHandler, type QueuedOptions, queued } from './tasks/queued.ts';
export {
  type DefinedFunctions,
  type RoutedExtras,
  type RoutedHandler,
  routeTasks,
  type TaskFunction,
} from './tasks/routeTasks.ts';
export { type RunTaskOptions, runTask, type TaskExtras, type TaskHandler } from './tasks/runTask.ts';
export type { SettledBatch } from './tasks/settledBatch.ts';
export { type SchemaIssue, type StandardSchema, type } from './tasks/standardSchema.ts';
export { isTask, type Task } from './tasks/task.ts';
export type { TaskMessage, TaskPublisher } from './tasks/taskPublisher.ts';
export { type Unwrapped, unwrapTask } from './tasks/unwrapTask.ts';
