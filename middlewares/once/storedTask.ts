import type { ObjectAddress } from '../../core/storedData/ObjectStore.ts';
import { StoredDataError, shown } from '../../core/storedData/StoredDataError.ts';

/** The record of a task that must run once. */
export type StoredTask = RunningTask | DoneTask | FreeTask;

interface Owned {
  /** Identifies the run that wrote the record. */
  readonly owner: string;
  /** The digest of the payload, if it is checked. */
  readonly payload?: string | undefined;
}

export interface RunningTask extends Owned {
  readonly state: 'running';
  /** When the lease ends, in milliseconds since 1970. */
  readonly until: number;
}

export interface DoneTask extends Owned {
  readonly state: 'done';
  /** In milliseconds since 1970. */
  readonly doneAt: number;
  /** The kind of a special result. */
  readonly kind?: string | undefined;
  /** The result in ajson; undefined if it was undefined. */
  readonly result?: string | undefined;
}

/** A run failed, and the next one may start. */
export interface FreeTask extends Owned {
  readonly state: 'free';
}

/**
 * Reads a record.
 *
 * @throws StoredDataError `STORED_DATA_BODY` when the object is something else
 */
export function parseStoredTask(text: string, address: ObjectAddress): StoredTask {
  try {
    const record = JSON.parse(text);
    if (isRecord(record)) return record;
  } catch {
    // Not JSON.
  }
  throw new StoredDataError(
    'STORED_DATA_BODY',
    `s3://${shown(address.bucket)}/${shown(address.key)} is not a record of idempotent(). Nothing else may write to its folder.`,
  );
}

function isRecord(record: unknown): record is StoredTask {
  const { state, owner, until, doneAt, payload, kind, result } = Object(record) as Record<string, unknown>;
  if (typeof owner !== 'string' || !isOptionalText(payload)) return false;
  if (state === 'running') return typeof until === 'number';
  if (state === 'done') return typeof doneAt === 'number' && isOptionalText(kind) && isOptionalText(result);
  return state === 'free';
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}
