// `export *` where possible: once an `export { … } from` of a file is used, esbuild loads at start what its other exports share
// with code in an `import()`.
export * from '../core/index.ts';
export { DeadLetterError } from './aws/deadLetterMessage.ts';
export { NotConfiguredError } from './aws/environment.ts';
export * from './aws/PublishError.ts';
export type { Queues } from './aws/queues.ts';
export type { Topics } from './aws/topics.ts';
export * from './callbackPublisher.ts';
export * from './cancelChain.ts';
export * from './cancellable.ts';
export * from './cancelTask.ts';
export * from './chainEvents.ts';
export * from './contextResources.ts';
export type { EventTarget } from './events/eventWriter.ts';
export * from './extendedPayload.ts';
export * from './failurePolicy.ts';
export * from './idempotent.ts';
export * from './lambdaLogged.ts';
export {
  type Invocation,
  PipelineNotRunError,
  type StageOptions,
  stageMiddleware,
} from './middy/stageMiddleware.ts';
export * from './once/TaskInProgressError.ts';
export * from './preloadClients.ts';
export * from './readData.ts';
export { ResourceCycleError } from './resources/resourceCycle.ts';
export * from './s3Sink.ts';
export * from './sendGroup.ts';
export type { ScheduleSettings } from './sending/scheduleMessage.ts';
export * from './sendTask.ts';
export * from './sqsSnsUnwrap.ts';
export * from './stepFunctionsTask.ts';
export * from './storeData.ts';
export * from './storedDataHydrate.ts';
export * from './taskMetrics.ts';
export * from './topicsByDisplayName.ts';
export * from './topicsFromSsm.ts';
export * from './tracing/traced.ts';
export type { TaskFacts, TaskTrace, Tracing } from './tracing/tracing.ts';
