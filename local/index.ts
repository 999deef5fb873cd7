export type { InvocationReport, WorkerStats } from './invocationReport.ts';
export type {
  LambdaContext,
  LambdaHandler,
  SqsEvent,
  SqsMessageAttribute,
  SqsRecord,
} from './lambdaTypes.ts';
export type { LocalAwsOptions } from './localAwsOptions.ts';
export { type LocalAws, startLocalAws } from './startLocalAws.ts';
export { startWorker, type Worker } from './startWorker.ts';
export type { QueueAddress } from './taskQueues.ts';
export type { WorkerOptions } from './workerOptions.ts';
