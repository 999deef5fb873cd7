export {
  AlgernonError,
  BatchEndedError,
  BatchFailedError,
  BucketNotAllowedError,
  CallbackError,
  DeadLetterError,
  DeadlineError,
  type ErrorDetails,
  EventReplacedError,
  GroupHaltedError,
  InvocationError,
  LocalOptionError,
  MessageNotJsonError,
  MessageTooLargeError,
  MissingPackageError,
  NonRetryableError,
  NotATaskError,
  NotConfiguredError,
  NotUnwrappedError,
  OptionError,
  PipelineNotRunError,
  PointerError,
  PublishError,
  ResourceCircleError,
  ResourceScopeError,
  StoredDataAccessError,
  StoredDataBodyError,
  StoredDataError,
  StoredDataMissingError,
  StoredDataRefusedError,
  StoredDataTooLargeError,
  StoredDataUnavailableError,
  TaskArgumentsError,
  TooManyPointersError,
  TopicNotFoundError,
  UnknownTaskError,
  WorkerNotIdleError,
} from '../core/errors.ts';
export * from '../core/index.ts';
export type { Topics } from './aws/topics.ts';
export { type CallbackPublisherOptions, callbackPublisher } from './callbackPublisher.ts';
export {
  type ContextOf,
  type ContextResources,
  contextResources,
  type FactoryParts,
  type Resource,
  type ResourceValues,
} from './contextResources.ts';
export { type ExtendedPayloadOptions, extendedPayload } from './extendedPayload.ts';
export { type Backoff, type FailurePolicyOptions, failurePolicy } from './failurePolicy.ts';
export { type LambdaLoggedOptions, lambdaLogged } from './lambdaLogged.ts';
export { type DefinedTask, type SendTaskOptions, sendTask } from './sendTask.ts';
export { sqsSnsUnwrap, type UnwrappedEvent } from './sqsSnsUnwrap.ts';
export { type StepFunctionsTaskOptions, stepFunctionsTask } from './stepFunctionsTask.ts';
export { type StoredDataHydrateOptions, storedDataHydrate } from './storedDataHydrate.ts';
export { type TopicsByDisplayNameOptions, topicsByDisplayName } from './topicsByDisplayName.ts';
export { type TopicsFromSsmOptions, topicsFromSsm } from './topicsFromSsm.ts';
export { traced } from './tracing/traced.ts';
export type { TaskFacts, TaskTrace, Tracing } from './tracing/tracing.ts';
