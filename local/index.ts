export type {
  SqsEvent,
  SqsMessageAttribute,
  SqsRecord,
} from '../core/batch/events.ts';
export { AlgernonError, OptionError } from '../core/errors.ts';
export { type DevServer, type DevServerOptions, startDevServer } from './dev/startDevServer.ts';
export type { InvocationReport, WorkerStats } from './invocationReport.ts';
export type { FullLambdaContext, LambdaHandler } from './lambdaTypes.ts';
export type { LocalAwsOptions } from './localAwsOptions.ts';
export { type LocalAws, startLocalAws } from './startLocalAws.ts';
export { startWorker, type Worker } from './startWorker.ts';
export type { QueueAddress } from './taskQueues.ts';
export type { WorkerOptions } from './workerOptions.ts';
