import { AlgernonError } from '../errors.ts';
import type { Ledger } from './ledger.ts';

/** The identifier of a failed record, as in Lambda's batch response. */
export interface ItemFailure {
  itemIdentifier: string;
}

/** The outcome of each record, in the order of `event.Records`, and the same as Lambda's batch response. */
export interface SettledBatch<R> extends Array<PromiseSettledResult<R>> {
  /** The messages that return to the queue. */
  readonly batchItemFailures: ItemFailure[];
  /** The answer if nothing in the stack maps the outcome. Throws when a record failed. */
  toJSON(): { batchItemFailures: ItemFailure[] };
}

interface OutcomeState {
  readonly ledger: Ledger;
  /** Whether each failure is logged already. */
  isTold: boolean;
  /** Whether a hook has just read the outcome. */
  isBeingRead: boolean;
}

const stateKey = Symbol('algernon-middy.outcome');
type Outcome = PromiseSettledResult<unknown>[] & { [stateKey]: OutcomeState };

/**
 * Lets an outcome serialise for the hook that has just read it, until the hook waits: a hook that logs the answer must not
 * fail the batch. Lambda gets the answer only after a wait.
 */
export function letHookRead(response: unknown): void {
  const state = (response as Outcome | null | undefined)?.[stateKey];
  if (!state) return;
  state.isBeingRead = true;
  // Not queueMicrotask, which fake timers stop.
  void Promise.resolve().then(() => {
    state.isBeingRead = false;
  });
}

/**
 * Makes the outcome of a batch safe to return as it is. Without `ReportBatchItemFailures` Lambda takes any answer for
 * success and deletes all messages, so an outcome with a failure does not serialise: the invocation fails, and the whole
 * batch stays in the queue. Without a failure it serialises to a few bytes.
 *
 * @param ledger says which records are not done, even if the array was changed since
 * @param isLogged whether each failure is logged already
 */
export function settledBatch<R>(
  settled: PromiseSettledResult<R>[],
  ledger: Ledger,
  isLogged = false,
): SettledBatch<R> {
  const state: OutcomeState = { ledger, isTold: isLogged, isBeingRead: false };
  Object.defineProperty(settled, stateKey, { value: state });
  Object.defineProperty(settled, 'batchItemFailures', failuresAccessor);
  return Object.defineProperty(settled, 'toJSON', toJSONMethod) as SettledBatch<R>;
}

/** Shared: V8 keeps an accessor whose functions are made anew, and all they refer to, until a full collection. */
const failuresAccessor: PropertyDescriptor & ThisType<Outcome> = {
  get() {
    return namedIn(this);
  },
};

const toJSONMethod: PropertyDescriptor = {
  value(this: Outcome) {
    const failures = namedIn(this);
    const state = this[stateKey];
    if (failures.length === 0 || state.isBeingRead) return { batchItemFailures: failures };
    const reasons = this.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    // The runtime reports that serialising failed, not why.
    if (!state.isTold) for (const reason of reasons) console.error(reason);
    state.isTold = true;
    throw new BatchFailedError(reasons, failures.length, state.ledger.ids.length);
  },
};

function namedIn(settled: Outcome): ItemFailure[] {
  const { ledger } = settled[stateKey];
  const undone = new Set(ledger.undone({ exceptUntouched: true }).map(({ index }) => index));
  return ledger.ids.flatMap((id, index) =>
    settled[index]?.status !== 'fulfilled' || undone.has(index) ? [{ itemIdentifier: id }] : [],
  );
}

/** A batch has failures, and nothing in the stack reports them record by record. */
export class BatchFailedError extends AlgernonError {
  override readonly name = 'BatchFailedError';
  /** The error of each record that failed. */
  readonly errors: readonly unknown[];

  constructor(
    errors: readonly unknown[],
    failed: number,
    records: number,
    advice = 'add sqsPartialBatchFailure() to return only those that failed',
  ) {
    super(
      'BATCH_FAILED',
      `${failed} of ${records} records failed, and the whole batch returns to the queue: ${advice}.`,
      { cause: errors[0], retryable: true },
    );
    this.errors = errors;
  }
}
