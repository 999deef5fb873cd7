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

  const lane = async () => {
    for (let group = groups[nextGroup++]; group && !signal.aborted; group = groups[nextGroup++]) {
      let halted = false;
      for (const index of group) {
        if (signal.aborted) return;
        try {
          if (halted) throw new GroupHaltedError();
          settled[index] = { status: 'fulfilled', value: await run(records[index] as TaskRecord) };
        } catch (reason) {
          settled[index] = rejected(reason);
          halted = true;
        }
      }
    }
  };

  const lanes = Promise.all(Array.from({ length: Math.min(concurrency, groups.length) }, lane));
  await Promise.race([lanes, aborted(signal)]);
  return settled.map((one) => one ?? rejected(new DeadlineError()));
}

function groupsOf(records: readonly TaskRecord[]): number[][] {
  const groups: number[][] = [];
  const byId = new Map<string, number[]>();
  records.forEach((record, index) => {
    const id = groupId(record);
    const known = id === undefined ? undefined : byId.get(id);
    if (known) {
      known.push(index);
      return;
    }
    const group = [index];
    groups.push(group);
    if (id !== undefined) byId.set(id, group);
  });
  return groups;
}

/** The message group of a record from a FIFO queue. */
function groupId(record: TaskRecord): string | undefined {
  if (isSnsRecord(record) || !record.eventSourceARN?.endsWith('.fifo')) return undefined;
  return record.attributes?.MessageGroupId ?? '';
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
