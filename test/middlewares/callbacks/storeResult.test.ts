import { describe, expect, test } from '@jest/globals';
import { ajson } from '../../../core/ajson/index.ts';
import { writePieces } from '../../../core/ajson/writePieces.ts';
import type { TaskFact } from '../../../core/chains/ChainEvent.ts';
import type { ObjectStore } from '../../../core/storedData/ObjectStore.ts';
import { storeResult } from '../../../middlewares/callbacks/storeResult.ts';
import { StoredData } from '../../../middlewares/index.ts';

const origin = { messageId: 'm', taskName: 'load', sentAt: 1_790_000_000_123, functionArn: undefined };

/** Stores a result in memory. */
async function stored(
  result: unknown,
  { bucket, inlineUnder = 0 }: { bucket?: string; inlineUnder?: number } = { bucket: 'b' },
) {
  const objects = new Map<string, string>();
  const facts: TaskFact[] = [];
  const store: Pick<ObjectStore, 'put'> = {
    async put({ bucket: into, key }, text) {
      objects.set(`${into}/${key}`, typeof text === 'string' ? text : [...text].join(''));
    },
  };
  const outcome = await storeResult(result, origin, {
    store: store as ObjectStore,
    bucket,
    folder: 'cache',
    inlineUnder,
    pieces: (value) => writePieces(ajson, value),
    report: (fact) => void facts.push(fact),
    signal: undefined,
  });
  return { ...outcome, objects, facts };
}

const cached = 'b#cache/m-load!1790000000.123.json';
const key = 'b/cache/m-load!1790000000.123.json';

describe('a result', () => {
  test('is stored, and its pointer is reported', async () => {
    const { kwargs, storedLength, objects, facts } = await stored({ a: 1 });
    expect(JSON.parse(kwargs)).toMatchObject({ _alg_class: 'StoredData', value: { pointer: cached } });
    expect([...objects.keys()]).toEqual([key]);
    expect(storedLength).toBe('{"a":1}'.length);
    expect(facts).toEqual([
      { type: 'stored', pointer: cached, length: storedLength, durationMillis: expect.any(Number) },
    ]);
    expect((facts[0] as { durationMillis: number }).durationMillis).toBeLessThan(60_000);
  });

  test.each([undefined, null])('%p is an empty object in the message', async (nothing) => {
    expect(await stored(nothing)).toMatchObject({ kwargs: '{}', storedLength: 0, facts: [] });
  });

  test.each<[unknown, number, boolean]>([
    [{ a: 1 }, 7, true],
    [{ a: 1 }, 6, false],
    // Two bytes a character.
    ['éé', 6, true],
    ['éé', 5, false],
    // Nothing is stored by default, however small.
    ['', 0, false],
  ])('%j with inlineUnder %i is in the message: %p', async (result, inlineUnder, isInline) => {
    const { kwargs, storedLength, objects } = await stored(result, { bucket: 'b', inlineUnder });
    expect(kwargs === JSON.stringify(result)).toBe(isInline);
    expect(storedLength > 0).toBe(!isInline);
    expect(objects.size).toBe(isInline ? 0 : 1);
  });

  test.each([0, 1000])('of more than a megabyte is stored with inlineUnder %i', async (inlineUnder) => {
    const { storedLength, objects } = await stored('x'.repeat(1_100_000), { bucket: 'b', inlineUnder });
    expect([storedLength, objects.size]).toEqual([1_100_002, 1]);
  });

  test('has its values stored first if they are in the message', async () => {
    const data = new StoredData({ pointer: 'b#cache/inner!1.json', value: 'inner' });
    const { kwargs, objects } = await stored({ data }, { bucket: 'b', inlineUnder: 1000 });
    expect(JSON.parse(kwargs).data.value.pointer).toBe(data.pointer);
    expect([...objects.keys()]).toEqual(['b/cache/inner!1.json']);
  });

  test('with a bucket that cannot be in a pointer is refused before it is stored', async () => {
    await expect(stored('a', { bucket: 'a b' })).rejects.toThrow(/^storing a value: bucket must be/);
  });
});

describe('a pointer', () => {
  test('is passed on, and nothing is stored', async () => {
    const { kwargs, storedLength, objects, facts } = await stored(
      new StoredData({ pointer: 'b#cache/x!1.json' }),
    );
    expect(JSON.parse(kwargs).value.pointer).toBe('b#cache/x!1.json');
    expect([storedLength, objects.size]).toEqual([0, 0]);
    expect(facts).toMatchObject([{ type: 'stored', pointer: 'b#cache/x!1.json', length: 0 }]);
  });

  test('with a value has it stored at the pointer', async () => {
    const { kwargs, objects } = await stored(new StoredData({ pointer: 'b#cache/x!1.json', value: [1] }));
    expect(JSON.parse(kwargs).value.pointer).toBe('b#cache/x!1.json');
    expect([...objects.keys()]).toEqual(['b/cache/x!1.json']);
  });

  test.each([
    new StoredData({ pointer: 'nonsense' }),
    new StoredData({ pointer: 'nonsense', value: 1 }),
    { _alg_class: 'StoredData', _alg_module: 'algernon.aws.snakes', value: { pointer: 'b#x' } },
  ])('that is not valid fails here, not in the next task', async (result) => {
    await expect(stored(result)).rejects.toMatchObject({ code: 'BAD_POINTER' });
  });
});
