export * from './ajson/index.ts';
export { DeadlineError } from './batch/deadline.ts';
export {
  EventError,
  type EventKind,
  eventKind,
  isSnsRecord,
  type LambdaContext,
  messageIdOf,
  recordsOf,
  type SnsEvent,
  type SnsRecord,
  type SqsEvent,
  type SqsMessageAttribute,
  type SqsRecord,
  type SqsRecordAttributes,
  type TaskRecord,
} from './batch/events.ts';
export { EventReplacedError } from './batch/ledger.ts';
export { type BatchOrResult, type QueuedHandler, type QueuedOptions, queued } from './batch/queued.ts';
export { GroupHaltedError } from './batch/runBatch.ts';
export {
  acknowledge,
  type RunTaskOptions,
  runTask,
  type TaskExtras,
  type TaskHandler,
} from './batch/runTask.ts';
export { BatchFailedError, type SettledBatch } from './batch/settledBatch.ts';
export type { Around, StageOrder, StagePosition, TaskRun } from './batch/stage.ts';
export { MessageNotJsonError, NotATaskError, type Unwrapped, unwrapTask } from './batch/unwrapTask.ts';
export type {
  ChainError,
  ChainEvent,
  DeadLetteredEvent,
  DeliveryEvent,
  DeliveryFields,
  FailedEvent,
  GroupFacts,
  JoinedEvent,
  MessageRole,
  PublishedEvent,
  PublishedMessage,
  ReceivedEvent,
  RetriedEvent,
  SentEvent,
  StartedEvent,
  StoredEvent,
  SucceededEvent,
  TaskFact,
} from './chains/ChainEvent.ts';
export type {
  AttemptState,
  ChainState,
  GroupState,
  TaskState,
  TaskStatus,
} from './chains/ChainState.ts';
export type { ChainReader, EventSink, EventSource } from './chains/EventSink.ts';
export { type ChainFold, chainState, foldChain } from './chains/foldChain.ts';
export { type MemorySink, type MemorySinkOptions, memorySink } from './chains/memorySink.ts';
export { readChainEvent } from './chains/readChainEvent.ts';
export {
  ChainFailedError,
  ChainTimeoutError,
  type GetChainOptions,
  getChain,
  type WaitForChainOptions,
  type WatchChainOptions,
  waitForChain,
  watchChain,
} from './chains/waitForChain.ts';
export {
  AlgernonError,
  type ErrorDetails,
  isAlgernonError,
  NonRetryableError,
  OptionError,
} from './errors.ts';
export type { FanOut } from './groups/FanOutResult.ts';
export { fanOut, type GroupOptions } from './groups/fanOut.ts';
export { GroupError } from './groups/GroupError.ts';
export type { BranchError, FailedBranch } from './groups/slot.ts';
export { isFinal } from './isFinal.ts';
export { RetryLaterError } from './RetryLaterError.ts';
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
  TaskArgumentsError,
  type TaskDefinition,
  type TaskDefinitions,
} from './tasks/defineTasks.ts';
export { type ChainEnd, endChain } from './tasks/endChain.ts';
export { CallbackError, type NextTask, nextTask } from './tasks/nextTask.ts';
export {
  type DefinedFunctions,
  type RoutedExtras,
  type RoutedHandler,
  routeTasks,
  type TaskFunction,
  UnknownTaskError,
} from './tasks/routeTasks.ts';
export { type SchemaIssue, type StandardSchema, typed } from './tasks/standardSchema.ts';
export { isTask, type Task } from './tasks/task.ts';
export type { TaskMessage, TaskPublisher } from './tasks/taskPublisher.ts';
