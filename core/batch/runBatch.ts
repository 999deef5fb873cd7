import { AlgernonError } from '../errors.ts';
import { type Deadline, DeadlineError } from './deadline.ts';
import { isSnsRecord, type TaskRecord } from './events.ts';
import { isLarge } from './isLarge.ts';

export interface RunBatchOptions {
  /** How many records may run at once. */
  concurrency: number;
  deadline: Deadline;
  /** The message of the error for a record that was not started. */
  notStarted?: string | undefined;
}

/**
 * Runs a record. It has one of the `concurrency` lanes until it ends, or until it calls `freeLane`: then it only waits to
 * send, and another record may start. `freeLane` returns false if too many wait already.
 */
export type RunOne<R> = (record: TaskRecord, freeLane: () => boolean) => Promise<R>;

/** How many records may wait to send, in addition to those that run. */
const maxWaiting = 100;

/** The state of a batch. */
interface Batch<R> {
  readonly records: readonly TaskRecord[];
  readonly run: RunOne<R>;
  readonly concurrency: number;
  readonly deadline: Deadline;
  /** The outcome of each record: `underWay` while it runs, undefined before. */
  readonly outcomes: (PromiseSettledResult<R | undefined> | undefined)[];
  /** The records that may start, the next one at the end. */
  readonly startable: number[];
  /** The record that follows in the same FIFO group. */
  readonly nextInGroup: ReadonlyMap<number, number>;
  /** How many lanes are in use. */
  lanes: number;
  /** How many records wait to send, and have no lane. */
  waiting: number;
  /** Resolved when a record frees its lane, and then replaced. */
  freed: PromiseWithResolvers<void>;
  readonly finished: PromiseWithResolvers<void>;
}

const underWay = { status: 'rejected', reason: undefined } as const;

/**
 * Runs each record of a batch. Records of one FIFO message group run one after another, and after a failure the rest of
 * the group is not started. Once the deadline is over nothing is started; runs that do not end by the cut-off count as
 * failed.
 *
 * @returns the outcome of each record, in order, without large values
 */
export async function runBatch<R>(
  records: readonly TaskRecord[],
  run: RunOne<R>,
  { concurrency, deadline, notStarted }: RunBatchOptions,
): Promise<PromiseSettledResult<R | undefined>[]> {
  const { firsts, nextInGroup } = groupsOf(records);
  const batch: Batch<R> = {
    records,
    run,
    concurrency,
    deadline,
    outcomes: new Array(records.length),
    startable: firsts.reverse(),
    nextInGroup,
    lanes: 0,
    waiting: 0,
    freed: Promise.withResolvers(),
    finished: Promise.withResolvers(),
  };
  deadline.cutoff.addEventListener('abort', () => batch.finished.resolve(), { once: true });
  openFreedLanes(batch);
  openLanes(batch);
  await batch.finished.promise;
  // A copy, since runs that were cut off may still end.
  return Array.from(batch.outcomes, (outcome) => {
    if (outcome && outcome !== underWay) return outcome;
    const reason = outcome ? new DeadlineError() : new DeadlineError('NOT_STARTED', notStarted);
    return { status: 'rejected', reason };
  });
}

/** Starts records, each in its lane, as far as lanes are free. */
function openLanes<R>(batch: Batch<R>): void {
  const { startable, concurrency, deadline, finished } = batch;
  while (batch.lanes < concurrency && startable.length > 0 && !deadline.isOver()) {
    batch.lanes += 1;
    runLane(batch).catch(finished.reject);
  }
  if (batch.lanes === 0 && batch.waiting === 0) finished.resolve();
}

/** Opens the lanes that records free. Not in `freeLane`, where the next record would start in the trace of that task. */
function openFreedLanes<R>(batch: Batch<R>): void {
  batch.freed = Promise.withResolvers();
  const opened = batch.freed.promise.then(() => {
    openFreedLanes(batch);
    openLanes(batch);
  });
  opened.catch(batch.finished.reject);
}

/** Runs records one after another, until none may start or one of them has freed the lane. */
async function runLane<R>(batch: Batch<R>): Promise<void> {
  const { records, run, startable, outcomes, deadline } = batch;
  let isFree = false;
  const freeLane = () => {
    if (isFree || batch.waiting === maxWaiting) return false;
    isFree = true;
    batch.waiting += 1;
    batch.lanes -= 1;
    batch.freed.resolve();
    return true;
  };
  let index = startable.pop();
  while (index !== undefined) {
    outcomes[index] = underWay;
    try {
      succeed(batch, index, await run(records[index] as TaskRecord, freeLane));
    } catch (reason) {
      fail(batch, index, reason);
    }
    index = isFree || deadline.isOver() ? undefined : startable.pop();
  }
  if (isFree) batch.waiting -= 1;
  else batch.lanes -= 1;
  openLanes(batch);
}

function succeed<R>({ outcomes, startable, nextInGroup }: Batch<R>, index: number, value: R): void {
  outcomes[index] = { status: 'fulfilled', value: isLarge(value) ? undefined : value };
  const next = nextInGroup.get(index);
  if (next !== undefined) startable.push(next);
}

/** Fails a record, and halts the rest of its group. */
function fail<R>({ outcomes, nextInGroup }: Batch<R>, index: number, reason: unknown): void {
  outcomes[index] = { status: 'rejected', reason };
  let next = nextInGroup.get(index);
  for (; next !== undefined; next = nextInGroup.get(next)) {
    outcomes[next] = { status: 'rejected', reason: new GroupHaltedError() };
  }
}

/** The first record of each group, and the record that follows on each other one. A record without a group is one by itself. */
function groupsOf(records: readonly TaskRecord[]): { firsts: number[]; nextInGroup: Map<number, number> } {
  const firsts: number[] = [];
  const nextInGroup = new Map<number, number>();
  const lastOfGroup = new Map<string | undefined, number>();
  records.forEach((record, index) => {
    const id = groupId(record);
    const last = lastOfGroup.get(id);
    if (last === undefined) firsts.push(index);
    else nextInGroup.set(last, index);
    if (id !== undefined) lastOfGroup.set(id, index);
  });
  return { firsts, nextInGroup };
}

/** The message group of a record of a FIFO queue; undefined for any other record. */
export function groupId(record: TaskRecord): string | undefined {
  if (isSnsRecord(record) || !record.eventSourceARN?.endsWith('.fifo')) return undefined;
  return record.attributes?.MessageGroupId ?? '';
}

/** An earlier message of the same FIFO group failed, so this one was not started. */
export class GroupHaltedError extends AlgernonError {
  override readonly name = 'GroupHaltedError';

  constructor() {
    super(
      'GROUP_HALTED',
      'An earlier message of the same group failed; this one returns to the queue untouched.',
      {
        retryable: true,
      },
    );
  }
}
