import { whenAborted } from '../../core/batch/deadline.ts';
import { EventReplacedError } from '../../core/batch/ledger.ts';
import { clearDeadline } from '../../core/batch/pipeline.ts';
import { AlgernonError } from '../../core/errors.ts';
import { undoneOf } from './guardedAnswer.ts';
import type { GuardedRequest } from './guardRequest.ts';

/**
 * Waits for runs that a loop did not await, and fails the invocation where its answer could not tell which records are done.
 *
 * @throws EventReplacedError, PipelineNotRunError, or the error of a task that SNS gave
 */
export async function assertBatchDone(state: GuardedRequest): Promise<void> {
  const { pipeline } = state;
  if (!pipeline) return;
  const { ledger, stages, wasQueued, deadline } = pipeline;
  if (!wasQueued && ledger.running > 0) await Promise.race([ledger.idle(), whenAborted(deadline?.cutoff)]);
  clearDeadline(pipeline);
  if (!ledger.matches(state.request.event)) throw new EventReplacedError();
  const active = stages.find(({ passive }) => !passive);
  if (active && !wasQueued && !ledger.touched && ledger.ids.length > 0) {
    const error = new PipelineNotRunError(active.name);
    // Another middleware may turn the error into a batch response, and nothing else would say what is wrong.
    if (!pipeline.logsFailures) console.error(error);
    throw error;
  }
  const [undone] = pipeline.kind === 'sns' ? undoneOf(state) : [];
  if (undone)
    throw undone.reason ?? new AlgernonError('NOT_RUN', 'The notification was not run.', { retryable: true });
}

/** Nothing has run the stages of a batch. */
export class PipelineNotRunError extends AlgernonError {
  override readonly name = 'PipelineNotRunError';

  constructor(stage: string) {
    super(
      'PIPELINE_NOT_RUN',
      `${stage} was not run for any record of this batch: wrap the handler in queued(), or run each record with runTask().`,
      { retryable: true },
    );
  }
}
