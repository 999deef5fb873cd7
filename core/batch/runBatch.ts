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

/** How many records may wait to send, in addition to those that run. */
const maxWaiting = 100;

/**
 * Runs each record of a batch. Records of one FIFO message group run one after another, and after a failure the rest of
 * the group is not started. Once the deadline is over nothing is started; runs that do not end by the cut-off count as
 * failed.
 *
 * @param run runs a record. It has one of the `concurrency` lanes until it ends, or until it calls `freeLane`: then it only
 *   waits to send, and another record may start. `freeLane` returns false if too many wait already
 * @returns the outcome of each record, in order, without large values
 */
export async function runBatch<R>(
  records: readonly TaskRecord[],
  run: (record: TaskRecord, freeLane: () => boolean) => Promise<R>,
  { concurrency, deadline, notStarted }: RunBatchOptions,
): Promise<PromiseSettledResult<R | undefined>[]> {
  const settled: PromiseSettledResult<R | undefined>[] = new Array(records.length);
  const isStarted: boolean[] = new Array(records.length).fill(false);
  const { firsts, nextInGroup } = groupsOf(records);
  /** The records that may start, the next one at the end. */
  const startable = firsts.reverse();
  const finished = Promise.withResolvers<void>();
  let freed = Promise.withResolvers<void>();
  let lanes = 0;
  let waiting = 0;

  const openLanes = () => {
    while (lanes < concurrency && startable.length > 0 && !deadline.isOver()) {
      lanes += 1;
      runLane().catch(finished.reject);
    }
    if (lanes === 0 && waiting === 0) finished.resolve();
  };

  const runLane = async () => {
    for (let index = startable.pop(); index !== undefined; index = startable.pop()) {
      if (deadline.isOver()) break;
      let isFree = false;
      const freeLane = () => {
        if (isFree || waiting === maxWaiting) return false;
        isFree = true;
        waiting += 1;
        lanes -= 1;
        freed.resolve();
        return true;
      };
      isStarted[index] = true;
      try {
        succeed(index, await run(records[index] as TaskRecord, freeLane));
      } catch (reason) {
        fail(index, reason);
      }
      if (isFree) {
        waiting -= 1;
        openLanes();
        return;
      }
    }
    lanes -= 1;
    openLanes();
  };

  /** Opens lanes that tasks have freed. Not in `freeLane`, where the next record would start in the trace of that task. */
  const reopenLanes = (): void => {
    freed = Promise.withResolvers();
    const reopened = freed.promise.then(() => {
      reopenLanes();
      openLanes();
    });
    reopened.catch(finished.reject);
  };

  const succeed = (index: number, value: R) => {
    settled[index] = { status: 'fulfilled', value: isLarge(value) ? undefined : value };
    const next = nextInGroup.get(index);
    if (next !== undefined) startable.push(next);
  };
  const fail = (index: number, reason: unknown) => {
    settled[index] = { status: 'rejected', reason };
    let next = nextInGroup.get(index);
    for (; next !== undefined; next = nextInGroup.get(next)) {
      settled[next] = { status: 'rejected', reason: new GroupHaltedError() };
    }
  };

  deadline.cutoff.addEventListener('abort', () => finished.resolve(), { once: true });
  if (!deadline.cutoff.aborted) {
    reopenLanes();
    openLanes();
    await finished.promise;
  }
  const outcomes = [...settled];
  for (let index = 0; index < records.length; index += 1) {
    outcomes[index] ??= {
      status: 'rejected',
      reason: isStarted[index] ? new DeadlineError() : new DeadlineError('NOT_STARTED', notStarted),
    };
  }
  return outcomes;
}

/** The first record of each group, and the record that follows on each other one. A record without a group is one by itself. */
function groupsOf(records: readonly TaskRecord[]): { firsts: number[]; nextInGroup: Map<number, number> } {
  const firsts: number[] = [];
  const nextInGroup = new Map<number, number>();
  const lastOfGroup = new Map<string, number>();
  records.forEach((record, index) => {
    const id = groupId(record);
    const last = id === undefined ? undefined : lastOfGroup.get(id);
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
