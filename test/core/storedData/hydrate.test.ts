import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ajson } from '../../../core/ajson/index.ts';
import { type HydrateOptions, hydrate } from '../../../core/storedData/hydrate.ts';
import type { ObjectAddress, ReadOptions } from '../../../core/storedData/ObjectStore.ts';
import { StoredData } from '../../../core/storedData/StoredData.ts';
import { StoredDataError } from '../../../core/storedData/StoredDataError.ts';

const wrap = (pointer: string) => ({
  _alg_class: 'StoredData',
  _alg_module: 'algernon.aws.snakes',
  value: { pointer },
});
const tag = (name: string) => wrap(`bucket#cache/${name}!1.5.json`);
const bodyOf = (value: unknown, more: object = {}) =>
  JSON.stringify({ data_string: value, full_unpack: true, safe_mode: false, ...more });

/** A store of texts by name, with asynchronous reads. */
function storeOf(texts: Record<string, string | Error>) {
  const reads: string[] = [];
  const aborted: string[] = [];
  let underWay = 0;
  let most = 0;
  const store = {
    async get({ key }: ObjectAddress, { admit, signal }: ReadOptions) {
      const name = /\/(.*)!/.exec(key)?.[1] ?? '';
      reads.push(name);
      most = Math.max(most, ++underWay);
      signal?.addEventListener('abort', () => aborted.push(name));
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      signal?.throwIfAborted();
      const text = texts[name] ?? new StoredDataError('STORED_DATA_MISSING', `no ${name}`);
      if (text instanceof Error) throw text;
      admit(text.length);
      return text;
    },
    async put() {},
  };
  const read = <T>(value: T, options: Partial<HydrateOptions> = {}) =>
    hydrate(value, '$', { store, isAllowed: () => true, maxBytes: 1_000_000, ...options });
  return { reads, aborted, read, most: () => most };
}

const valuesOf = (values: Record<string, unknown>) =>
  storeOf(Object.fromEntries(Object.entries(values).map(([name, value]) => [name, bodyOf(value)])));
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const namesOf = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);

describe('the argument', () => {
  test('is not changed, and parts without pointers are shared', async () => {
    const { read } = valuesOf({ a: 1 });
    const plain = { deep: [1, { two: 2 }] };
    const value = { plain, list: [0, { at: tag('a') }, plain], other: [tag('a')] };
    const before = structuredClone(value);
    const filled = await read(value);
    expect(filled).toEqual({ plain, list: [0, { at: 1 }, plain], other: [1] });
    expect(filled.plain).toBe(plain);
    expect(filled.list[2]).toBe(plain);
    expect(value).toEqual(before);
    expect(await read(plain)).toBe(plain);
  });

  const tree = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      fc.constant('pointer'),
      fc.integer(),
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom('a', 'b c', '__proto__', 'constructor', '\n'), tie('node')),
    ),
  })).node;
  const swap = (node: unknown, to: unknown): unknown => {
    if (node === 'pointer') return to;
    if (Array.isArray(node)) return node.map((item) => swap(item, to));
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, swap(item, to)]));
  };

  test('that has NaN beside a pointer can be written again', async () => {
    const value = ajson.raw<{ image: unknown }>(
      `{"x":NaN,"list":[Infinity,{}],"image":${JSON.stringify(tag('a'))}}`,
    );
    const { read } = storeOf({ a: bodyOf(1) });
    expect(ajson.dumps(await read(value))).toBe('{"x":NaN,"list":[Infinity,{}],"image":1}');
  });

  test('has every pointer replaced, in messages and in stored values', () =>
    fc.assert(
      fc.asyncProperty(tree, async (node) => {
        const message = swap(node, tag('leaf'));
        const before = JSON.stringify(message);
        const { read } = valuesOf({ leaf: { leaf: true }, whole: message });
        const expected = JSON.stringify(swap(node, { leaf: true }));
        expect(JSON.stringify(await read(message))).toBe(expected);
        expect(JSON.stringify(await read(tag('whole')))).toBe(expected);
        expect(JSON.stringify(message)).toBe(before);
      }),
    ));
});

describe('a pointer that appears twice', () => {
  test('is read once and gives two values', async () => {
    const { reads, read } = valuesOf({ x: { n: [1], inner: tag('y') }, y: [2] });
    const filled = await read({ a: tag('x'), b: [tag('x')], c: tag('y') });
    expect(filled).toEqual({ a: { n: [1], inner: [2] }, b: [{ n: [1], inner: [2] }], c: [2] });
    const { a, b, c } = filled as unknown as {
      a: { n: number[]; inner: number[] };
      b: [typeof a];
      c: number[];
    };
    a.n.push(9);
    a.inner.push(9);
    expect({ b, c }).toEqual({ b: [{ n: [1], inner: [2] }], c: [2] });
    expect(reads.sort()).toEqual(['x', 'y']);
  });

  test('gives two values from a large object too', async () => {
    const { read } = valuesOf({ x: { text: 'x'.repeat(2_000_000) }, outer: tag('x') });
    const [a, b, c] = await read([tag('x'), tag('x'), tag('outer')] as object[], { maxBytes: 10_000_000 });
    expect(a).toEqual(b);
    expect(a).toEqual(c);
    expect(a).not.toBe(b);
  });

  test('is left unrebuilt in both if it asks for that', async () => {
    const set = { _alg_class: 'set', value: [1] };
    const { read } = storeOf({ x: bodyOf(set, { safe_mode: true }) });
    const filled = await read({ a: tag('x'), b: tag('x'), c: set });
    expect(ajson.rebuildEvent(filled)).toEqual({ a: set, b: set, c: new Set([1]) });
  });
});

describe('bytes', () => {
  test('count each time a value is used', async () => {
    const { reads, read } = valuesOf({ large: 'x'.repeat(1000) });
    const value = times(10, tag('large'));
    expect(await read(value, { maxBytes: 20_000 })).toEqual(times(10, 'x'.repeat(1000)));
    expect(reads).toEqual(['large']);
    await expect(read(value, { maxBytes: 5000 })).rejects.toMatchObject({ code: 'STORED_DATA_TOO_LARGE' });
  });

  test('are allowed up to the limit, and reported', async () => {
    const { read } = valuesOf({ a: 1, b: 2 });
    const maxBytes = 2 * bodyOf(1).length;
    let counted = 0;
    const onRead = (bytes: number) => {
      counted += bytes;
    };
    expect(await read([tag('a'), tag('b')], { maxBytes, onRead })).toEqual([1, 2]);
    expect(counted).toBe(maxBytes);
    await expect(read([tag('a'), tag('b')], { maxBytes: maxBytes - 1 })).rejects.toMatchObject({
      code: 'STORED_DATA_TOO_LARGE',
      message: expect.stringContaining(
        `${maxBytes} bytes of stored data. The option maxBytes allows ${maxBytes - 1}`,
      ),
    });
  });

  test('of small values that contain each other are limited', async () => {
    const layers = Object.fromEntries(
      Array.from({ length: 7 }, (_, i) => [`layer${i}`, i === 6 ? 'x' : times(40, tag(`layer${i + 1}`))]),
    );
    const { reads, read } = valuesOf(layers);
    const size = JSON.stringify(Object.values(layers)).length;
    const reading = read(tag('layer0'), { maxBytes: 4 * size, maxPointers: 1e9 });
    await expect(reading).rejects.toMatchObject({ code: 'STORED_DATA_TOO_LARGE' });
    expect(reads.length).toBeLessThanOrEqual(7);
  });
});

describe('arrays and objects', () => {
  const maxBytes = 8_000_000;
  const dense = `{"data_string":[${'[],'.repeat(1_000_000)}{}],"full_unpack":true}`;

  test('beyond a million, or one per 16 bytes, are refused before parsing', async () => {
    const { read } = storeOf({ dense });
    await expect(read(tag('dense'), { maxBytes })).rejects.toMatchObject({
      code: 'STORED_DATA_TOO_LARGE',
      message: expect.stringMatching(/more than 1000000 lists and objects\. .* option maxBytes/),
      path: '$',
    });
    expect(await read(tag('dense'), { maxBytes: 4 * maxBytes })).toHaveLength(1_000_001);
  });

  test('count across all stored objects', async () => {
    const half = `{"data_string":[${'{},'.repeat(700_000)}{}],"full_unpack":true}`;
    const { read } = storeOf({ a: half, b: half });
    expect(await read(tag('a'), { maxBytes })).toHaveLength(700_001);
    await expect(read([tag('a'), tag('a')], { maxBytes })).rejects.toMatchObject({
      code: 'STORED_DATA_TOO_LARGE',
    });
  });

  test('in strings do not count', async () => {
    const text = '[{"\\'.repeat(600_000);
    const { read } = valuesOf({ text });
    expect(await read(tag('text'), { maxBytes })).toBe(text);
  });
});

describe('pointers', () => {
  test('are counted, nested ones included, and refused beyond the limit with their path', async () => {
    const { read, reads } = valuesOf({ a: [tag('b'), tag('b')], b: 1 });
    expect(await read([tag('a'), tag('b')], { maxPointers: 4 })).toEqual([[1, 1], 1]);
    await expect(read([tag('a'), tag('b')], { maxPointers: 3 })).rejects.toMatchObject({
      code: 'TOO_MANY_POINTERS',
      path: '$[0][1]',
      message: expect.stringContaining('maxPointers'),
    });
    reads.length = 0;
    await expect(read({ x: [tag('a'), tag('b')] }, { maxPointers: 1 })).rejects.toMatchObject({
      path: '$.x[1]',
    });
    expect(reads).toEqual([]);
  });

  test('have a default limit of 10,000', async () => {
    const { read } = valuesOf({ a: 1 });
    expect(await read(times(10_000, tag('a')))).toHaveLength(10_000);
    await expect(read(times(10_001, tag('a')))).rejects.toMatchObject({ code: 'TOO_MANY_POINTERS' });
  });

  test('may be nested eight deep', async () => {
    const chain = (length: number) =>
      Object.fromEntries(
        Array.from({ length }, (_, i) => [`c${i}`, i === length - 1 ? 'end' : [tag(`c${i + 1}`)]]),
      );
    const nested = JSON.stringify(await valuesOf(chain(8)).read(tag('c0')));
    expect(nested).toBe('[[[[[[["end"]]]]]]]');
    await expect(valuesOf(chain(9)).read(tag('c0'))).rejects.toMatchObject({ code: 'TOO_MANY_POINTERS' });
  });

  test.each([
    ['an escape in the name of the class', '\\u0053toredData'],
    ['another escape', 'Stored\\u0044ata'],
    ['an escape in other letters', 'StoredD\\u0061ta'],
  ])('are found in a text with %s', async (_, name) => {
    const inner = `{"_alg_class":"${name}","_alg_module":"algernon.aws.snakes","value":{"pointer":"bucket#cache/in!1.json"}}`;
    const { read } = storeOf({ out: `{"data_string":[${inner}],"full_unpack":true}`, in: bodyOf(7) });
    expect(await read(tag('out'))).toEqual([7]);
  });
});

describe('reads', () => {
  test('are limited to 16 at a time, or to the option', async () => {
    for (const concurrentReads of [undefined, 1, 3]) {
      const names = namesOf(100);
      const { read, most } = valuesOf(Object.fromEntries(names.map((name, index) => [name, index])));
      const list = await read(names.map(tag), { concurrentReads });
      expect(list).toEqual(names.map((_, index) => index));
      expect(most()).toBe(concurrentReads ?? 16);
    }
  });

  test('of nested values do not deadlock', async () => {
    const names = namesOf(20);
    const { read } = valuesOf({ ...Object.fromEntries(names.map((name) => [name, [tag('leaf')]])), leaf: 1 });
    expect(await read(names.map(tag), { concurrentReads: 1 })).toEqual(times(20, [1]));
  });

  test('stop at the first failure: those in flight are aborted, the rest never start', async () => {
    const names = namesOf(1000);
    const values = Object.fromEntries(names.map((name) => [name, bodyOf(1)]));
    const { read, reads, aborted } = storeOf({ ...values, n5: '' });
    await expect(read({ list: names.map(tag) })).rejects.toMatchObject({
      code: 'STORED_DATA_BODY',
      path: '$.list[5]',
    });
    const begun = reads.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(reads.length).toBe(begun);
    expect(begun).toBeLessThan(50);
    expect(aborted.length).toBeGreaterThan(5);
  });

  test('report the failure, not the reads that it aborted', async () => {
    const names = namesOf(100);
    const slow = Object.fromEntries(names.map((name) => [name, bodyOf(1)]));
    const { read } = storeOf({ ...slow, outer: bodyOf({ in: [tag('gone')] }) });
    await expect(read({ first: tag('outer'), list: names.map(tag) })).rejects.toMatchObject({
      code: 'STORED_DATA_MISSING',
      path: '$.first.in[0]',
    });
  });

  test('are aborted when the task is stopped', async () => {
    const names = namesOf(100);
    const { read, reads, aborted } = valuesOf(Object.fromEntries(names.map((name) => [name, 1])));
    const stop = new AbortController();
    const reading = read(names.map(tag), { signal: stop.signal });
    stop.abort();
    await expect(reading).rejects.toBeDefined();
    expect(aborted.length).toBe(16);
    expect(reads.length).toBe(16);
  });

  test('cause no MaxListenersExceededWarning on a shared signal', async () => {
    const warnings: Error[] = [];
    const keep = (warning: Error) => void warnings.push(warning);
    process.on('warning', keep);
    const names = namesOf(60);
    const { read } = valuesOf(Object.fromEntries(names.map((name) => [name, 1])));
    await read(names.map(tag), { concurrentReads: 60, signal: new AbortController().signal });
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.off('warning', keep);
    expect(warnings).toEqual([]);
  });
});

describe('an error', () => {
  test.each([
    ['a line break', 'price\nERROR forged', '$["price\\nERROR forged"]'],
    ['a space', 'unit price', '$["unit price"]'],
    ['a dot', 'a.b', '$["a.b"]'],
  ])('has the path of a key with %s as text', async (_, key, path) => {
    const { read } = storeOf({});
    const error = await read({ [key]: wrap('nothing') }).catch((reason: Error) => reason);
    expect(error).toMatchObject({ code: 'BAD_POINTER', path });
    expect((error as Error).message).not.toMatch(/[\n\r]/);
  });

  test.each(['\u0085', '\u2028', '\u2029', '\u001b[31m', '\r', '\u202e'])(
    'escapes %j in a key or bucket',
    async (character) => {
      const { read } = storeOf({});
      const value = { [`a${character}b`]: wrap(`other${character}#cache/x!1.json`) };
      const isAllowed = () => false;
      const error = (await read(value, { isAllowed }).catch((reason: Error) => reason)) as Error;
      expect(error).toMatchObject({ name: 'StoredDataError' });
      expect(error.message).not.toContain(character);
    },
  );

  test('is short even if the key is long', async () => {
    const { read } = storeOf({});
    const error = await read({ ['k'.repeat(100_000)]: wrap('nothing') }).catch((reason: Error) => reason);
    expect((error as Error).message.length).toBeLessThan(600);
  });

  test('about a value that is too deep or cyclic is not a stack overflow', async () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    for (const value of [cycle, deep]) {
      await expect(storeOf({}).read(value)).rejects.toMatchObject({ code: 'TOO_MANY_POINTERS' });
    }
  });
});

describe('a StoredData that is kept', () => {
  const kept = async (value: unknown, more: object = {}) => {
    const { read } = storeOf({ k: bodyOf(value, { full_unpack: false, ...more }), leaf: bodyOf(7) });
    return (await read({ it: tag('k') })) as unknown as { it: StoredData };
  };

  test('has its own pointers replaced', async () => {
    const { it } = await kept({ a: tag('leaf') });
    expect(it).toBeInstanceOf(StoredData);
    expect(it.value).toEqual({ a: 7 });
  });

  test('is rebuilt inside, in a copy', async () => {
    const event = await kept({ tags: { _alg_class: 'set', value: ['a'] } });
    const { it } = ajson.rebuildEvent<typeof event>(event);
    expect(it.value).toEqual({ tags: new Set(['a']) });
    expect(it.pointer).toBe(event.it.pointer);
    expect(event.it.value).toEqual({ tags: { _alg_class: 'set', value: ['a'] } });
  });

  test('is not rebuilt inside with safe_mode', async () => {
    const value = { tags: { _alg_class: 'set', value: ['a'] } };
    const event = await kept(value, { safe_mode: true });
    expect(ajson.rebuildEvent<typeof event>(event).it).toBe(event.it);
    expect(event.it.value).toEqual(value);
  });

  test('has its path in the error about an unknown class', async () => {
    const event = await kept([{ _alg_class: 'Nobody', _alg_module: 'no.where', value: {} }]);
    expect(() => ajson.rebuildEvent(event)).toThrow(expect.objectContaining({ path: '$.it.value[0]' }));
  });
});
