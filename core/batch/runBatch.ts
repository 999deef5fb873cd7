import { AlgernonError } from '../errors.ts';
import { type Deadline, DeadlineError, whenAborted } from './deadline.ts';
import { isSnsRecord, type TaskRecord } from './events.ts';

export interface RunBatchOptions {
  /** How many records may run at once. */
  concurrency: number;
  deadline: Deadline;
  /** The message of the error for a record that was not started. */
  notStarted?: string | undefined;
}

/**
 * Runs each record of a batch. Records of one FIFO message group run one after another, and after a failure the rest of
 * the group is not started. Once the deadline is over nothing is started; runs that do not end by the cut-off count as
 * failed.
 *
 * @returns the outcome of each record, in order
 */
export async function runBatch<R>(
  records: readonly TaskRecord[],
  run: (record: TaskRecord) => Promise<R>,
  { concurrency, deadline, notStarted }: RunBatchOptions,
): Promise<PromiseSettledResult<R>[]> {
  const settled: PromiseSettledResult<R>[] = new Array(records.length);
  const started = new Set<number>();
  const groups = groupsOf(records);
  let nextGroup = 0;

  const lane = async () => {
    for (let group = groups[nextGroup++]; group; group = groups[nextGroup++]) {
      let isHalted = false;
      for (const index of group) {
        if (deadline.isOver()) return;
        started.add(index);
        try {
          if (isHalted) throw new GroupHaltedError();
          settled[index] = { status: 'fulfilled', value: await run(records[index] as TaskRecord) };
        } catch (reason) {
          settled[index] = rejected(reason);
          isHalted = true;
        }
      }
    }
  };

  const lanes = Promise.all(Array.from({ length: Math.min(concurrency, groups.length) }, lane));
  await Promise.race([lanes, whenAborted(deadline.cutoff)]);
  const outcomes = [...settled];
  for (let index = 0; index < records.length; index += 1) {
    outcomes[index] ??= rejected(
      started.has(index) ? new DeadlineError() : new DeadlineError('NOT_STARTED', notStarted),
    );
  }
  return outcomes;
}

function groupsOf(records: readonly TaskRecord[]): number[][] {
  const groups: number[][] = [];
  const byId = new Map<string, number[]>();
  records.forEach((record, index) => {
    const id = groupId(record);
    const existing = id === undefined ? undefined : byId.get(id);
    if (existing) {
      existing.push(index);
      return;
    }
    const group = [index];
    groups.push(group);
    if (id !== undefined) byId.set(id, group);
  });
  return groups;
}

/** The message group of a record of a FIFO queue; undefined for any other record. */
export function groupId(record: TaskRecord): string | undefined {
  if (isSnsRecord(record) || !record.eventSourceARN?.endsWith('.fifo')) return undefined;
  return record.attributes?.MessageGroupId ?? '';
}

function rejected(reason: unknown): PromiseRejectedResult {
  return { status: 'rejected', reason };
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
