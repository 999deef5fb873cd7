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

/** One run of a record. */
export interface Run {
  /** Counts the runs with this message id, from 0. */
  readonly part: number;
  readonly entry: Entry;
  hasEnded: boolean;
}

interface Entry {
  /** How many records of the event have this id: SQS may deliver a message twice in one batch. */
  expected: number;
  parts: readonly Part[];
  acknowledged: boolean;
  noted: { reason: unknown } | undefined;
  isDone: boolean;
}

/** The runs of one record object. A new run replaces the outcome of the last one, unless that is still under way. */
interface Part {
  readonly record: TaskRecord;
  active: number;
  failure: { reason: unknown } | undefined;
}

const noParts: readonly Part[] = [];

/**
 * Keeps the state of each record of one invocation. A message is done when each run with its id has succeeded.
 *
 * A class, as each batch has one: closures would have to be made anew each time.
 */
export class Ledger {
  readonly ids: readonly string[];
  /** The records as they came: another middleware may replace them, or empty the list in place. */
  readonly records: readonly TaskRecord[];
  readonly #entries = new Map<string, Entry>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #touched = false;
  /** How many entries are done, so that a batch without failures is not searched for them. */
  #done = 0;

  constructor(records: readonly TaskRecord[]) {
    this.records = [...records];
    this.ids = records.map(messageIdOf);
    for (const id of this.ids) {
      const entry = this.#entries.get(id);
      if (entry) entry.expected += 1;
      else
        this.#entries.set(id, {
          expected: 1,
          parts: noParts,
          acknowledged: false,
          noted: undefined,
          isDone: false,
        });
    }
  }

  /** How many runs are under way. */
  get running(): number {
    return this.#running;
  }

  /** Whether any record was run or acknowledged. */
  get touched(): boolean {
    return this.#touched;
  }

  /**
   * Starts a run of a record.
   *
   * @throws EventReplacedError when the record was not in the event that the stages were declared for
   */
  begin(record: TaskRecord): Run {
    const entry = this.#entryOf(record);
    let index = 0;
    while (index < entry.parts.length && entry.parts[index]?.record !== record) index += 1;
    // Pushing onto an empty array would take room for 17.
    if (index === entry.parts.length)
      entry.parts = [...entry.parts, { record, active: 0, failure: undefined }];
    const part = entry.parts[index] as Part;
    if (part.active === 0) part.failure = undefined;
    part.active += 1;
    this.#running += 1;
    this.#update(entry, false);
    return { part: index, entry, hasEnded: false };
  }

  /** Ends a run, once. */
  end(run: Run, failure?: { reason: unknown }): void {
    if (run.hasEnded) return;
    run.hasEnded = true;
    const part = run.entry.parts[run.part] as Part;
    part.failure ??= failure;
    part.active -= 1;
    this.#running -= 1;
    this.#update(run.entry);
    if (this.#running === 0 && this.#waiting.length > 0)
      for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Marks a record done, for a loop that does not use `runTask`. */
  acknowledge(record: TaskRecord): void {
    const entry = this.#entryOf(record);
    entry.acknowledged = true;
    this.#update(entry);
  }

  /** Notes a failure that the answer of a loop names, for a record that was not run. */
  note(id: string, reason: unknown): void {
    const entry = this.#entries.get(id);
    if (!entry || entry.parts.length > 0) return;
    entry.noted ??= { reason };
    this.#update(entry);
  }

  /** The records that are not done; those that nothing ran are left out on request. */
  undone({ exceptUntouched = false }: { exceptUntouched?: boolean } = {}): Undone[] {
    if (this.#done === this.#entries.size) return [];
    const undone: Undone[] = [];
    this.ids.forEach((id, index) => {
      const { state, reason } = stateOf(this.#entries.get(id) as Entry);
      if (state === 'done' || (exceptUntouched && state === 'untouched')) return;
      undone.push({ id, index, state, reason });
    });
    return undone;
  }

  /** Whether an event has the records of the ledger, or copies of them, in their order. */
  matches(event: unknown): boolean {
    const found = recordsOf(event);
    if (found?.length !== this.ids.length) return false;
    for (let index = 0; index < found.length; index += 1) {
      const record = found[index];
      // Reading the id of each record would take longer: this runs whenever the answer is read.
      if (record !== this.records[index] && !hasId(record, this.ids[index])) return false;
    }
    return true;
  }

  /** Resolves when no run is under way. */
  idle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #entryOf(record: TaskRecord): Entry {
    const entry = this.#entries.get(messageIdOf(record));
    if (!entry) throw new EventReplacedError();
    this.#touched = true;
    return entry;
  }

  #update(entry: Entry, isDone: boolean = isEntryDone(entry)): void {
    if (isDone !== entry.isDone) this.#done += isDone ? 1 : -1;
    entry.isDone = isDone;
  }
}

function hasId(record: unknown, id: string | undefined): boolean {
  return typeof record === 'object' && record !== null && messageIdOf(record as TaskRecord) === id;
}

function isEntryDone({ expected, parts, acknowledged, noted }: Entry): boolean {
  if (noted || !(acknowledged || parts.length >= expected)) return false;
  for (const { active, failure } of parts) if (active > 0 || failure) return false;
  return true;
}

function stateOf(entry: Entry): { state: RecordState; reason: unknown } {
  if (entry.isDone) return { state: 'done', reason: undefined };
  if (entry.parts.some(({ active }) => active > 0)) return { state: 'running', reason: undefined };
  const failure = entry.parts.find((part) => part.failure)?.failure ?? entry.noted;
  return failure ? { state: 'failed', reason: failure.reason } : { state: 'untouched', reason: undefined };
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
