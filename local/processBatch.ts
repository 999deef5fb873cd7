import type { SqsRecord } from '../core/batch/events.ts';
import type { WorkerStats } from './invocationReport.ts';
import { type InvocationResult, invoke } from './invoke.ts';
import { createLambdaContext } from './lambdaContext.ts';
import { bindQueue, type QueueCalls } from './queueCalls.ts';
import { readBatchResponse } from './readBatchResponse.ts';
import type { TaskQueue } from './taskQueues.ts';
import type { WorkerSettings } from './workerOptions.ts';

/** Everything needed to process the batches of one queue. */
export interface BatchWorker {
  readonly queue: TaskQueue;
  readonly calls: QueueCalls;
  readonly functionArn: string;
  readonly settings: WorkerSettings;
  readonly stats: { -readonly [Key in keyof WorkerStats]: WorkerStats[Key] };
}

/** Binds a queue to its settings. The handler's context has an ARN in the account of the queue. */
export async function createBatchWorker(
  queue: TaskQueue,
  settings: WorkerSettings,
  stats: BatchWorker['stats'],
): Promise<BatchWorker> {
  const [, , , region, account] = queue.arn.split(':');
  return {
    queue,
    calls: await bindQueue(settings.aws.sqs, queue.url),
    functionArn: `arn:aws:lambda:${region}:${account}:function:${settings.name}`,
    settings,
    stats,
  };
}

/** Invokes the function with a batch, deletes the finished messages and leaves the others in the queue. Never rejects. */
export async function processBatch(worker: BatchWorker, records: SqsRecord[]): Promise<void> {
  const { settings, stats, functionArn } = worker;
  const context = createLambdaContext(functionArn, settings.timeoutSeconds);
  // Read before the call, since a handler may change its event.
  const handles = new Map(records.map(({ messageId, receiptHandle }) => [receiptHandle, messageId]));
  const messageIds = [...handles.values()];
  const start = performance.now();
  stats.invocations += 1;
  const result = await invoke(settings.handler, { Records: records }, context);
  const durationMs = performance.now() - start;

  const { failedIds, error } = judge(result, messageIds, settings.reportBatchItemFailures);
  if (error !== undefined) stats.failedInvocations += 1;
  try {
    await settle(worker, handles, new Set(failedIds));
    settings.onInvocation({
      functionName: context.functionName,
      requestId: context.awsRequestId,
      task: worker.queue.task,
      messageIds,
      failedIds,
      outcome: failedIds.length === 0 ? 'success' : failedIds.length < records.length ? 'partial' : 'failure',
      ...(error === undefined ? {} : { error }),
      durationMs,
    });
  } catch (fault) {
    // Messages that could not be deleted return when their visibility timeout ends.
    settings.onError(fault);
  }
}

function judge(
  result: InvocationResult,
  messageIds: readonly string[],
  reportBatchItemFailures: boolean,
): { failedIds: readonly string[]; error?: unknown } {
  if ('error' in result) return { failedIds: messageIds, error: result.error };
  return reportBatchItemFailures ? readBatchResponse(result.response, messageIds) : { failedIds: [] };
}

async function settle(
  { calls, settings, stats }: BatchWorker,
  handles: ReadonlyMap<string, string>,
  failedIds: ReadonlySet<string>,
): Promise<void> {
  const done: string[] = [];
  const failed: string[] = [];
  for (const [handle, id] of handles) (failedIds.has(id) ? failed : done).push(handle);
  stats.failed += failed.length;
  const refused = await calls.remove(done);
  stats.deleted += done.length - refused.length;
  if (refused.length > 0) {
    settings.onError(
      new Error(`SQS did not delete ${refused.length} of ${done.length} messages. They will be redelivered.`),
    );
  }
  if (settings.retryDelaySeconds !== undefined) await calls.hide(failed, settings.retryDelaySeconds);
}
