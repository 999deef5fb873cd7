import { AlgernonError } from '../errors.ts';
import { messageIdOf, recordsOf, type TaskRecord } from './events.ts';

/** The state of a record: `untouched` until something runs it. */
export type RecordState = 'untouched' | 'running' | 'done' | 'failed';

/** Why a record is not done. */
export interface Undone {
  readonly id: string;
  readonly index: number;
  readonly state: Exclude<RecordState, 'done'>;
  readonly reason: unknown;
}

/** Keeps the state of each record of one invocation. */
export interface Ledger {
  readonly ids: readonly string[];
  /** How many runs are under way. */
  readonly running: number;
  /** Whether any record was run or acknowledged. */
  readonly touched: boolean;
  /**
   * Starts a run of a record.
   *
   * @throws EventReplacedError when the record was not in the event that the stages were declared for
   */
  begin(record: TaskRecord): Run;
  /** Marks a record done, for a loop that does not use `runTask`. */
  acknowledge(record: TaskRecord): void;
  /** Notes a failure that the answer of a loop names, for a record that was not run. */
  note(index: number, reason: unknown): void;
  /** The records that are not done; those that nothing ran are left out on request. */
  undone(options?: { exceptUntouched?: boolean }): Undone[];
  /** Whether an event has the records of the ledger, in their order. */
  matches(event: unknown): boolean;
  /** Resolves when no run is under way. */
  idle(): Promise<void>;
}

/** One run of a record. */
export interface Run {
  /** Counts the runs with this message id, from 0. */
  readonly part: number;
  end(outcome: { failed: false } | { failed: true; reason: unknown }): void;
}

interface Entry {
  /** How many records of the event have this id: SQS may deliver a message twice in one batch. */
  expected: number;
  /**
   * A record object that is run again replaces its last outcome, except while that run is under way; parts of a message
   * are other objects.
   */
  readonly runs: { record: TaskRecord; active: number; failure: { reason: unknown } | undefined }[];
  acknowledged: boolean;
  noted: { reason: unknown } | undefined;
}

/** Makes the ledger of a batch. A message is done when each run with its id has succeeded. */
export function openLedger(records: readonly TaskRecord[]): Ledger {
  const ids = records.map(messageIdOf);
  const entries = new Map<string, Entry>();
  for (const id of ids) {
    const entry = entries.get(id);
    if (entry) entry.expected += 1;
    else entries.set(id, { expected: 1, runs: [], acknowledged: false, noted: undefined });
  }
  let running = 0;
  let touched = false;
  const waiting: (() => void)[] = [];

  const entryOf = (record: TaskRecord): Entry => {
    const entry = entries.get(messageIdOf(record));
    if (!entry) throw new EventReplacedError();
    touched = true;
    return entry;
  };

  return {
    ids,
    get running() {
      return running;
    },
    get touched() {
      return touched;
    },

    begin(record) {
      const { runs } = entryOf(record);
      let part = runs.findIndex((earlier) => earlier.record === record);
      if (part === -1) part = runs.push({ record, active: 0, failure: undefined }) - 1;
      const run = runs[part] as Entry['runs'][number];
      if (run.active === 0) run.failure = undefined;
      run.active += 1;
      running += 1;
      let hasEnded = false;
      return {
        part,
        end(outcome) {
          if (hasEnded) return;
          hasEnded = true;
          if (outcome.failed) run.failure ??= { reason: outcome.reason };
          run.active -= 1;
          running -= 1;
          if (running === 0) for (const resolve of waiting.splice(0)) resolve();
        },
      };
    },

    acknowledge(record) {
      entryOf(record).acknowledged = true;
    },

    note(index, reason) {
      const entry = entries.get(ids[index] as string);
      if (entry && entry.runs.length === 0) entry.noted ??= { reason };
    },

    undone({ exceptUntouched = false } = {}) {
      const undone: Undone[] = [];
      ids.forEach((id, index) => {
        const outcome = stateOf(entries.get(id) as Entry);
        if (outcome.state === 'done' || (exceptUntouched && outcome.state === 'untouched')) return;
        undone.push({ id, index, state: outcome.state, reason: outcome.reason });
      });
      return undone;
    },

    matches(event) {
      const found = recordsOf(event);
      if (found?.length !== ids.length) return false;
      return found.every(
        (record, index) => Object(record) === record && messageIdOf(record as TaskRecord) === ids[index],
      );
    },

    idle() {
      if (running === 0) return Promise.resolve();
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}

function stateOf({ expected, runs, acknowledged, noted }: Entry): { state: RecordState; reason: unknown } {
  if (runs.some(({ active }) => active > 0)) return { state: 'running', reason: undefined };
  const failed = runs.find(({ failure }) => failure);
  if (failed) return { state: 'failed', reason: failed.failure?.reason };
  if (noted) return { state: 'failed', reason: noted.reason };
  return { state: acknowledged || runs.length >= expected ? 'done' : 'untouched', reason: undefined };
}

/** Another middleware has replaced, resized or reordered `event.Records`. */
export class EventReplacedError extends AlgernonError {
  override readonly name = 'EventReplacedError';

  constructor() {
    super(
      'EVENT_REPLACED',
      'Another middleware has replaced, resized or reordered event.Records, so failures could not be reported. ' +
        'Leave the records as they are, or put that middleware before those of algernon-middy.',
      { retryable: true },
    );
  }
}
