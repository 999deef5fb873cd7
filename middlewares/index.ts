export {
  AlgernonError,
  type ErrorDetails,
  NonRetryableError,
  OptionError,
} from '../core/errors.ts';
export * from '../core/index.ts';
export { DeadLetterError } from './aws/deadLetterMessage.ts';
export { NotConfiguredError } from './aws/environment.ts';
export { PublishError } from './aws/PublishError.ts';
export type { Queues } from './aws/queues.ts';
export type { Topics } from './aws/topics.ts';
export { type CallbackPublisherOptions, callbackPublisher } from './callbackPublisher.ts';
export { type CancelChainOptions, cancelChain } from './cancelChain.ts';
export { type CancellableOptions, cancellable } from './cancellable.ts';
export { type CancelTaskOptions, cancelTask } from './cancelTask.ts';
export { type ChainEventsOptions, chainEvents } from './chainEvents.ts';
export {
  type ContextOf,
  type ContextResources,
  contextResources,
  type FactoryParts,
  type Resource,
  type ResourceValues,
} from './contextResources.ts';
export type { EventTarget } from './events/eventWriter.ts';
export { type ExtendedPayloadOptions, extendedPayload } from './extendedPayload.ts';
export { type Backoff, type FailurePolicyOptions, failurePolicy } from './failurePolicy.ts';
export { type IdempotentOptions, idempotent } from './idempotent.ts';
export { type LambdaLoggedOptions, lambdaLogged } from './lambdaLogged.ts';
export {
  type Invocation,
  PipelineNotRunError,
  type StageOptions,
  stageMiddleware,
} from './middy/stageMiddleware.ts';
export { TaskInProgressError } from './once/TaskInProgressError.ts';
export { type PreloadClientsOptions, preloadClients } from './preloadClients.ts';
export { type ReadDataOptions, readData } from './readData.ts';
export { ResourceCycleError } from './resources/resourceCycle.ts';
export { type S3Sink, type S3SinkOptions, s3Sink } from './s3Sink.ts';
export { type SendGroupOptions, type SentGroup, sendGroup } from './sendGroup.ts';
export type { ScheduleSettings } from './sending/scheduleMessage.ts';
export {
  type DefinedTask,
  type SendableTask,
  type SendTaskOptions,
  SendTasksError,
  type SendTasksOptions,
  type SentTask,
  sendTask,
  sendTasks,
} from './sendTask.ts';
export { sqsSnsUnwrap, type UnwrappedEvent } from './sqsSnsUnwrap.ts';
export { type StepFunctionsTaskOptions, stepFunctionsTask } from './stepFunctionsTask.ts';
export { type StoreDataOptions, storeData } from './storeData.ts';
export { type StoredDataHydrateOptions, storedDataHydrate } from './storedDataHydrate.ts';
export { type TaskMetricsOptions, taskMetrics } from './taskMetrics.ts';
export { type TopicsByDisplayNameOptions, topicsByDisplayName } from './topicsByDisplayName.ts';
export { type TopicsFromSsmOptions, topicsFromSsm } from './topicsFromSsm.ts';
export { traced } from './tracing/traced.ts';
export type { TaskFacts, TaskTrace, Tracing } from './tracing/tracing.ts';
