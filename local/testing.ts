export type {
  AttemptState,
  ChainState,
  GroupState,
  TaskState,
  TaskStatus,
} from '../core/chains/ChainState.ts';
export { AlgernonError, OptionError } from '../core/errors.ts';
export type { AwsCall, Fault } from './serverControl.ts';
export type { Attempt } from './testing/observeTasks.ts';
export type { ContextParts, TestWorkerOptions } from './testing/options.ts';
export type { AttemptFilter, LogLine, QueuedMessage, TestWorker } from './testing/testingTypes.ts';
export { testWorker } from './testing/testWorker.ts';
