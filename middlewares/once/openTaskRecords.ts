import { randomUUID } from 'node:crypto';
import { AlgernonError } from '../../core/errors.ts';
import type { ConditionalOptions, ConditionalStore } from '../../core/storedData/ConditionalStore.ts';
import type { ObjectAddress } from '../../core/storedData/ObjectStore.ts';
import { shown, tooLarge } from '../../core/storedData/StoredDataError.ts';
import { type DoneTask, parseStoredTask, type RunningTask, type StoredTask } from './storedTask.ts';
import { TaskInProgressError } from './TaskInProgressError.ts';

export interface TaskRecordsOptions {
  /** The largest record, in bytes. */
  maxBytes: number;
  /** How long a result counts, in milliseconds. */
  ttlMillis: number;
}

/** The right to run a task, until its lease ends. */
export interface Lease {
  readonly address: ObjectAddress;
  readonly owner: string;
  readonly payload: string | undefined;
  readonly version: string;
}

/** A task that may run now, or that is done. */
export type Claim = { readonly lease: Lease } | { readonly done: DoneTask };

export interface ClaimOptions extends ConditionalOptions {
  leaseMillis: number;
  /** The digest of the payload, if it is checked. */
  payload: string | undefined;
}

export interface TaskRecords {
  /**
   * Claims a task: takes its lease if it is free, or returns the record of the run that is done.
   *
   * @throws TaskInProgressError when another run has the lease
   * @throws AlgernonError `PAYLOAD_MISMATCH` when the record has another payload
   * @throws StoredDataError
   */
  claim(address: ObjectAddress, options: ClaimOptions): Promise<Claim>;
  /**
   * Stores the result of a run.
   *
   * @throws TaskInProgressError when the lease had ended, and another run has taken over
   * @throws StoredDataError
   */
  complete(
    lease: Lease,
    result: Pick<DoneTask, 'kind' | 'result'>,
    options?: ConditionalOptions,
  ): Promise<void>;
  /** Gives the lease back after a failure. */
  release(lease: Lease, options?: ConditionalOptions): Promise<void>;
}

/** How often a record that changes is looked at. */
const maxTries = 5;

/** Keeps the records of tasks in a store, one object for each task. */
export function openTaskRecords(
  store: ConditionalStore,
  { maxBytes, ttlMillis }: TaskRecordsOptions,
): TaskRecords {
  const read = async (address: ObjectAddress, { signal }: ConditionalOptions) => {
    const stored = await store.read(address, { maxBytes, signal });
    return stored && { record: parseStoredTask(stored.text, address), version: stored.version };
  };
  const isOver = (record: StoredTask, now: number) => {
    if (record.state === 'running') return record.until <= now;
    return record.state === 'free' || record.doneAt + ttlMillis <= now;
  };

  return {
    async claim(address, { leaseMillis, payload, signal }) {
      const owner = randomUUID();
      const leaseOf = (version: string): Claim => ({ lease: { address, owner, payload, version } });
      for (let tries = 0; tries < maxTries; tries += 1) {
        const now = Date.now();
        const running: RunningTask = { state: 'running', owner, payload, until: now + leaseMillis };
        const text = JSON.stringify(running);
        const created = await store.create(address, text, { signal });
        if (created !== undefined) return leaseOf(created);
        const found = await read(address, { signal });
        // It was removed in between, or may not be read.
        if (!found) continue;
        const { record, version } = found;
        // The answer to an earlier request of this run was lost.
        if (record.owner === owner) return leaseOf(version);
        if (isOver(record, now)) {
          const replaced = await store.replace(address, text, version, { signal });
          if (replaced !== undefined) return leaseOf(replaced);
          continue;
        }
        if (differ(record.payload, payload)) throw payloadMismatch(address);
        if (record.state === 'done') return { done: record };
        throw new TaskInProgressError(
          (record as RunningTask).until,
          'The same task is running elsewhere. Its message comes back when that run should be over.',
        );
      }
      throw unreadable(address);
    },

    async complete({ address, owner, payload, version }, { kind, result }, { signal } = {}) {
      const done: DoneTask = { state: 'done', owner, payload, doneAt: Date.now(), kind, result };
      const text = JSON.stringify(done);
      const bytes = Buffer.byteLength(text);
      if (bytes > maxBytes) throw tooLarge(address.key, bytes, maxBytes);
      if ((await store.replace(address, text, version, { signal })) !== undefined) return;
      const found = await read(address, { signal });
      // The answer was lost, and the SDK has tried again.
      if (found?.record.owner === owner && found.record.state === 'done') return;
      const until = found?.record.state === 'running' ? found.record.until : 0;
      throw new TaskInProgressError(
        until,
        'The lease of this task ended before its handler did, and another run has taken over. Raise leaseSeconds.',
      );
    },

    async release({ address, owner, version }, { signal } = {}) {
      await store.replace(address, JSON.stringify({ state: 'free', owner }), version, { signal });
    },
  };
}

/** A record of before the option payload was set has none. */
function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

function payloadMismatch({ key }: ObjectAddress): AlgernonError {
  return new AlgernonError(
    'PAYLOAD_MISMATCH',
    `A task with the same key but another payload has run before, or is running (${shown(key)}). Different work needs ` +
      'different keys: correct the sender, or the option key.',
  );
}

function unreadable({ bucket, key }: ObjectAddress): AlgernonError {
  return new AlgernonError(
    'RECORD_UNREADABLE',
    `The record s3://${shown(bucket)}/${shown(key)} exists, but cannot be read. The function's role needs s3:GetObject for it.`,
    { retryable: true },
  );
}
