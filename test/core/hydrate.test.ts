import { expect, test } from '@jest/globals';
import { StoredDataTooLargeError } from '../../core/errors.ts';
import { hydrate } from '../../core/hydrate.ts';

const tag = (name: string) => ({
  _alg_class: 'StoredData',
  _alg_module: 'algernon.aws.snakes',
  value: { pointer: `bucket#cache/${name}!1.5.json` },
});

/** A store of values by name, that counts how often each is read. */
function storeOf(values: Record<string, unknown>) {
  const reads: string[] = [];
  const store = {
    async get({ key }: { key: string }, { admit }: { admit(bytes: number): void }) {
      const name = /\/(.*)!/.exec(key)?.[1] ?? '';
      reads.push(name);
      const text = JSON.stringify({ data_string: values[name], full_unpack: true, safe_mode: false });
      admit(text.length);
      return text;
    },
  };
  const read = (value: unknown, maxBytes: number) =>
    hydrate(value, '$', { store: store as never, isAllowed: () => true, maxBytes });
  return { reads, read };
}

const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

test('a pointer that stands in many places is read once, and counts in each', async () => {
  const { reads, read } = storeOf({ large: 'x'.repeat(1000) });
  const value = times(10, tag('large'));
  expect(await read(value, 20_000)).toEqual(times(10, 'x'.repeat(1000)));
  expect(reads).toEqual(['large']);
  await expect(read(value, 5000)).rejects.toThrow(StoredDataTooLargeError);
});

test('a few small values that hold each other many times end at the cap', async () => {
  const layers = Object.fromEntries(
    Array.from({ length: 7 }, (_, i) => [`layer${i}`, i === 6 ? 'x' : times(40, tag(`layer${i + 1}`))]),
  );
  const { reads, read } = storeOf(layers);
  const size = JSON.stringify(Object.values(layers)).length;
  await expect(read(tag('layer0'), 4 * size)).rejects.toThrow(StoredDataTooLargeError);
  expect(reads.length).toBeLessThanOrEqual(7);
});
