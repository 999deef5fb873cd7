import { DeadlineError, GroupHaltedError } from '../errors.ts';
import { isSnsRecord, type TaskRecord } from './events.ts';

export interface RunBatchOptions {
  /** How many records may be under way at once. */
  concurrency: number;
  /** When the batch ends, whatever is not done. */
  signal: AbortSignal;
}

/**
 * Runs each record of a batch and tells how each ended, in the order they came. Records of one FIFO message group run
 * one after another, and after a failure the rest of the group is not started. Once the signal is aborted nothing
 * is started, and what is still running counts as failed.
 */
export async function runBatch<R>(
  records: readonly TaskRecord[],
  run: (record: TaskRecord) => Promise<R>,
  { concurrency, signal }: RunBatchOptions,
): Promise<PromiseSettledResult<R>[]> {
  const settled: (PromiseSettledResult<R> | undefined)[] = records.map(() => undefined);
  const groups = groupsOf(records);
  let nextGroup = 0;

  const runGroup = async (group: readonly number[]) => {
    let halted = false;
    for (const index of group) {
      const record = records[index] as TaskRecord;
      if (signal.aborted) return;
      settled[index] = halted ? rejected(new GroupHaltedError()) : await settle(run(record));
      halted ||= settled[index].status === 'rejected';
    }
  };
  const lane = async () => {
    for (let group = groups[nextGroup++]; group && !signal.aborted; group = groups[nextGroup++]) {
      await runGroup(group);
    }
  };

  const lanes = Promise.all(Array.from({ length: Math.min(concurrency, groups.length) }, lane));
  await Promise.race([lanes, aborted(signal)]);
  return settled.map((one) => one ?? rejected(new DeadlineError()));
}

function groupsOf(records: readonly TaskRecord[]): number[][] {
  const groups = new Map<unknown, number[]>();
  records.forEach((record, index) => {
    const key = groupId(record) ?? index;
    const group = groups.get(key);
    if (group) group.push(index);
    else groups.set(key, [index]);
  });
  return [...groups.values()];
}

/** The message group of a record from a FIFO queue. */
function groupId(record: TaskRecord): string | undefined {
  if (isSnsRecord(record) || !record.eventSourceARN?.endsWith('.fifo')) return undefined;
  return record.attributes?.MessageGroupId ?? '';
}

async function settle<R>(promise: Promise<R>): Promise<PromiseSettledResult<R>> {
  try {
    return { status: 'fulfilled', value: await promise };
  } catch (reason) {
    return rejected(reason);
  }
}

function rejected(reason: unknown): PromiseRejectedResult {
  return { status: 'rejected', reason };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
