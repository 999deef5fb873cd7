import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { ConditionalStore } from '../../core/storedData/ConditionalStore.ts';
import { StoredDataError } from '../../core/storedData/StoredDataError.ts';
import { openTaskRecords, type TaskRecords } from '../../middlewares/once/openTaskRecords.ts';
import { TaskInProgressError } from '../../middlewares/once/TaskInProgressError.ts';

beforeEach(() => {
  jest.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  jest.useRealTimers();
});

const address = { bucket: 'b', key: 'k' };
const leaseMillis = 5000;
const unavailable = () => new StoredDataError('STORED_DATA_UNAVAILABLE', 'down', { retryable: true });

/** One object, with S3's conditions. `next` decides the outcome of each call: `lost` means done, but without an answer. */
function memoryStore(next: () => 'ok' | 'lost' | 'down' | 'repeated') {
  let stored: { text: string; version: string } | undefined;
  let versions = 0;
  const put = (text: string, isAllowed: () => boolean): string | undefined => {
    if (!isAllowed()) return undefined;
    versions += 1;
    stored = { text, version: String(versions) };
    return stored.version;
  };
  const write = async (text: string, isAllowed: () => boolean) => {
    const outcome = next();
    if (outcome === 'down') throw unavailable();
    const version = put(text, isAllowed);
    if (outcome === 'lost') throw unavailable();
    // The SDK repeats a request whose answer was lost, and finds its own object.
    return outcome === 'repeated' ? put(text, isAllowed) : version;
  };
  const store: ConditionalStore = {
    async read() {
      if (next() === 'down') throw unavailable();
      return stored;
    },
    create: (_, text) => write(text, () => stored === undefined),
    replace: (_, text, version) => write(text, () => stored?.version === version),
  };
  const remove = () => {
    stored = undefined;
  };
  return { store, remove };
}

/** Often enough that several runs are alive, and that leases end. */
const steps: readonly Step[] = [
  ...(['claim', 'claim', 'claim', 'race', 'tick', 'tick', 'tick'] as const),
  ...(['end', 'endLast', 'fail', 'kill'] as const),
];
type Step = 'claim' | 'race' | 'end' | 'endLast' | 'fail' | 'kill' | 'tick';

describe('the record of a task', () => {
  test('admits one run at a time, and one result, whatever is lost, killed or down', async () => {
    const step = fc.constantFrom(...steps);
    const fault = fc.constantFrom<'ok' | 'lost' | 'down' | 'repeated'>(
      'ok',
      'ok',
      'ok',
      'lost',
      'down',
      'repeated',
    );
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 40, size: 'max' }),
      fc.array(fault, { maxLength: 60, size: 'max' }),
      async (played, faults) => {
        const { store } = memoryStore(() => faults.shift() ?? 'ok');
        const records = openTaskRecords(store, { maxBytes: 1000, ttlMillis: Number.POSITIVE_INFINITY });
        const outcome = await play(records, played);
        // In the end, without faults, the task can be done.
        faults.length = 0;
        jest.advanceTimersByTime(leaseMillis + 1);
        const last = await records.claim(address, { leaseMillis, payload: undefined });
        if ('done' in last) expect([undefined, last.done.result]).toContain(outcome.result);
        else {
          expect(outcome.result).toBeUndefined();
          await records.complete(last.lease, { result: '7' });
        }
      },
    );
    await fc.assert(property, { numRuns: 2000 });
  });

  test('that cannot be read is an error, not a run', async () => {
    const { store } = memoryStore(() => 'ok');
    let creates = 0;
    const unreadable: ConditionalStore = {
      ...store,
      read: async () => undefined,
      create: (...args) => {
        creates += 1;
        return store.create(...args);
      },
    };
    const records = openTaskRecords(unreadable, { maxBytes: 1000, ttlMillis: 1000 });
    await records.claim(address, { leaseMillis, payload: undefined });
    const again = records.claim(address, { leaseMillis, payload: undefined });
    await expect(again).rejects.toMatchObject({ code: 'RECORD_UNREADABLE', retryable: true });
    // One for the first claim, and five tries.
    expect(creates).toBe(6);
  });

  test('that is removed in between is created again', async () => {
    const { store, remove } = memoryStore(() => 'ok');
    const records = openTaskRecords(store, { maxBytes: 1000, ttlMillis: 1000 });
    await records.claim(address, { leaseMillis, payload: undefined });
    let reads = 0;
    const removing = openTaskRecords(
      {
        ...store,
        async read(...args) {
          reads += 1;
          if (reads === 1) remove();
          return store.read(...args);
        },
      },
      { maxBytes: 1000, ttlMillis: 1000 },
    );
    expect(await removing.claim(address, { leaseMillis, payload: undefined })).toHaveProperty('lease');
  });

  test.each([
    [4999, TaskInProgressError],
    [5000, undefined],
  ])('%i ms after the claim, a lease of 5000 ms stops others with %p', async (millis, expected) => {
    const { store } = memoryStore(() => 'ok');
    const records = openTaskRecords(store, { maxBytes: 1000, ttlMillis: 1000 });
    await records.claim(address, { leaseMillis, payload: undefined });
    jest.advanceTimersByTime(millis);
    const again = records.claim(address, { leaseMillis, payload: undefined });
    if (expected) await expect(again).rejects.toThrow(expected);
    else expect(await again).toHaveProperty('lease');
  });
});

describe('claims, results and releases', () => {
  const limits = { maxBytes: 1000, ttlMillis: 10_000 };
  const claimOf = (records: TaskRecords, payload?: string, signal?: AbortSignal) =>
    records.claim(address, { leaseMillis, payload, signal });
  const leaseOf = async (records: TaskRecords, payload?: string) => {
    const claim = await claimOf(records, payload);
    if ('done' in claim) throw new Error('the task is done');
    return claim.lease;
  };

  test('a lease that has ended is taken over with one write', async () => {
    const { store } = memoryStore(() => 'ok');
    const calls: string[] = [];
    const counting: ConditionalStore = {
      read: (...args) => {
        calls.push('read');
        return store.read(...args);
      },
      create: (...args) => {
        calls.push('create');
        return store.create(...args);
      },
      replace: (...args) => {
        calls.push('replace');
        return store.replace(...args);
      },
    };
    const records = openTaskRecords(counting, limits);
    await claimOf(records);
    jest.advanceTimersByTime(leaseMillis);
    expect(await claimOf(records)).toHaveProperty('lease');
    expect(calls).toEqual(['create', 'create', 'read', 'replace']);
  });

  test.each([
    ['the same', 'a', 'a', true],
    ['another', 'a', 'b', false],
    ['none before', undefined, 'b', true],
    ['none now', 'a', undefined, true],
  ])('the result of a run with %s payload', async (_, before, now, isGiven) => {
    const records = openTaskRecords(memoryStore(() => 'ok').store, limits);
    await records.complete(await leaseOf(records, before), { result: '7' });
    const again = claimOf(records, now);
    if (isGiven) expect(await again).toMatchObject({ done: { result: '7' } });
    else await expect(again).rejects.toMatchObject({ code: 'PAYLOAD_MISMATCH' });
  });

  test('a claim and a result whose answers were lost are taken from the record', async () => {
    let isRepeated = true;
    const { store } = memoryStore(() => (isRepeated ? 'repeated' : 'ok'));
    const records = openTaskRecords(store, limits);
    await records.complete(await leaseOf(records), { result: '7' });
    isRepeated = false;
    expect(await claimOf(records)).toMatchObject({ done: { result: '7' } });
  });

  test('a result counts for ttlMillis', async () => {
    const records = openTaskRecords(memoryStore(() => 'ok').store, limits);
    await records.complete(await leaseOf(records), { result: '7' });
    jest.advanceTimersByTime(limits.ttlMillis - 1);
    expect(await claimOf(records)).toHaveProperty('done');
    jest.advanceTimersByTime(1);
    expect(await claimOf(records)).toHaveProperty('lease');
  });

  test('a record has at most maxBytes', async () => {
    const written: string[] = [];
    const { store } = memoryStore(() => 'ok');
    const watched: ConditionalStore = {
      ...store,
      replace: (to, text, ...rest) => {
        written.push(text);
        return store.replace(to, text, ...rest);
      },
    };
    const result = '"é"';
    const complete = async (maxBytes: number) => {
      const records = openTaskRecords(watched, { ...limits, maxBytes });
      await records.complete(await leaseOf(records), { result });
      jest.advanceTimersByTime(limits.ttlMillis);
    };
    await complete(1000);
    const bytes = Buffer.byteLength(written.at(-1) ?? '');
    await complete(bytes);
    await expect(complete(bytes - 1)).rejects.toMatchObject({ code: 'STORED_DATA_TOO_LARGE' });
  });

  test('a result after the lease tells until when the run that took over has it', async () => {
    const records = openTaskRecords(memoryStore(() => 'ok').store, limits);
    const late = await leaseOf(records);
    jest.advanceTimersByTime(leaseMillis);
    const lease = await leaseOf(records);
    await expect(records.complete(late, { result: '7' })).rejects.toMatchObject({
      code: 'TASK_IN_PROGRESS',
      retryAfterSeconds: leaseMillis / 1000 + 1,
    });
    await records.complete(lease, { result: '8' });
    // The other run is done, so that the message can come back at once.
    await expect(records.complete(late, { result: '7' })).rejects.toMatchObject({ retryAfterSeconds: 1 });
    expect(await claimOf(records)).toMatchObject({ done: { result: '8' } });
  });

  test('a result whose record was removed, or whose lease was given back, is refused', async () => {
    const { store, remove } = memoryStore(() => 'ok');
    const records = openTaskRecords(store, limits);
    const released = await leaseOf(records);
    await records.release(released);
    const refusal = { code: 'TASK_IN_PROGRESS', retryAfterSeconds: 1 };
    await expect(records.complete(released, { result: '7' })).rejects.toMatchObject(refusal);
    remove();
    await expect(records.complete(released, { result: '7' })).rejects.toMatchObject(refusal);
  });

  test('each call to the store has the signal of the task', async () => {
    const { store } = memoryStore(() => 'ok');
    const signals: (AbortSignal | undefined)[] = [];
    const watched: ConditionalStore = {
      read: (to, options) => {
        signals.push(options.signal);
        return store.read(to, options);
      },
      create: (to, text, options) => {
        signals.push(options?.signal);
        return store.create(to, text, options);
      },
      replace: (to, text, version, options) => {
        signals.push(options?.signal);
        return store.replace(to, text, version, options);
      },
    };
    const records = openTaskRecords(watched, limits);
    const { signal } = new AbortController();
    const late = await leaseOf(records);
    jest.advanceTimersByTime(leaseMillis);
    signals.length = 0;
    const claim = await claimOf(records, undefined, signal);
    await records.complete(late, { result: '7' }, { signal }).catch(() => {});
    if ('lease' in claim) await records.release(claim.lease, { signal });
    // Create, read and replace for the claim; replace and read for the late result; replace for the release.
    expect(signals).toEqual(Array.from({ length: 6 }, () => signal));
  });
});

/** Plays deliveries of one task, and checks after each step that no two leases overlap and that a result stays. */
async function play(records: TaskRecords, steps: readonly Step[]): Promise<{ result: string | undefined }> {
  type Lease = Extract<Awaited<ReturnType<TaskRecords['claim']>>, { lease: unknown }>['lease'];
  /** The runs whose process is alive, oldest first, with the end of their leases. */
  const running: { lease: Lease; until: number }[] = [];
  let result: string | undefined;
  let runs = 0;
  for (const step of steps) {
    try {
      if (step === 'tick') jest.advanceTimersByTime(3000);
      else if (step === 'kill') running.shift();
      else if (step === 'claim' || step === 'race') {
        // A race is two deliveries at the same instant, whose calls alternate.
        const deliveries = Array.from({ length: step === 'race' ? 2 : 1 }, () =>
          records.claim(address, { leaseMillis, payload: undefined }),
        );
        for (const outcome of await Promise.allSettled(deliveries)) {
          if (outcome.status === 'rejected') assertExpected(outcome.reason);
          else if ('done' in outcome.value) {
            result ??= outcome.value.done.result;
            expect(outcome.value.done.result).toBe(result);
          } else {
            // A run may start only if there is no result, and no other has a lease.
            expect(result).toBeUndefined();
            expect(running.filter(({ until }) => until > Date.now())).toEqual([]);
            running.push({ lease: outcome.value.lease, until: Date.now() + leaseMillis });
          }
        }
      } else {
        const run = step === 'endLast' ? running.pop() : running.shift();
        if (!run) continue;
        if (step === 'fail') await records.release(run.lease);
        else {
          runs += 1;
          const own = String(runs);
          await records.complete(run.lease, { result: own });
          expect(result).toBeUndefined();
          result = own;
        }
      }
    } catch (error) {
      assertExpected(error);
    }
  }
  return { result };
}

function assertExpected(error: unknown): void {
  if (!(error instanceof StoredDataError || error instanceof TaskInProgressError)) throw error;
}
