export { DeadlineError } from './deadline.ts';
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
} from './events.ts';
export { EventReplacedError } from './ledger.ts';
export { type BatchOrResult, type QueuedHandler, type QueuedOptions, queued } from './queued.ts';
export { GroupHaltedError } from './runBatch.ts';
export {
  acknowledge,
  type RunTaskOptions,
  runTask,
  type TaskExtras,
  type TaskHandler,
} from './runTask.ts';
export { BatchFailedError, type SettledBatch } from './settledBatch.ts';
export type { Around, StageOrder, StagePosition, TaskRun } from './stage.ts';
export { MessageNotJsonError, NotATaskError, type Unwrapped, unwrapTask } from './unwrapTask.ts';
