import { describe, expect, test } from '@jest/globals';
import { ajson } from '../../../core/ajson/index.ts';
import { mapAtMost } from '../../../core/mapAtMost.ts';
import { findPointers } from '../../../core/storedData/findPointers.ts';
import { type HydrateOptions, hydrate } from '../../../core/storedData/hydrate.ts';
import { limitConcurrency } from '../../../core/storedData/limitConcurrency.ts';
import type { ReadOptions } from '../../../core/storedData/ObjectStore.ts';
import { addressOf, formatPointer, isFolderName, parsePointer } from '../../../core/storedData/pointer.ts';
import {
  collectUnstored,
  hasUnstoredValue,
  markStored,
  pointerIn,
  pointerTag,
  StoredData,
} from '../../../core/storedData/StoredData.ts';
import {
  bucketNotAllowed,
  type StoredDataError,
  shown,
  tooLarge,
} from '../../../core/storedData/StoredDataError.ts';
import { formatStoredBody, parseStoredBody, streamStoredBody } from '../../../core/storedData/storedBody.ts';

const pointer = 'b#cache/x!1.5.json';
const tag = (value: unknown, more: object = {}) => ({
  _alg_class: 'StoredData',
  _alg_module: 'algernon.aws.snakes',
  value,
  ...more,
});

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe('a StoredData', () => {
  test('has an unstored value until it is marked', () => {
    const data = new StoredData({ pointer, value: null });
    expect(hasUnstoredValue(data)).toBe(true);
    expect(markStored(data)).toBe(data);
    expect(hasUnstoredValue(data)).toBe(false);
    for (const other of [new StoredData({ pointer }), null, { pointer, value: 1 }]) {
      expect(hasUnstoredValue(other)).toBe(false);
    }
  });

  test('is collected where it is written, until the writing ends', () => {
    const [outer, inner, stored] = [1, 2, 3].map((value) => new StoredData({ pointer, value })) as [
      StoredData,
      StoredData,
      StoredData,
    ];
    markStored(stored);
    const found = new Set<StoredData>();
    const foundInside = new Set<StoredData>();
    const text = collectUnstored(found, () => {
      expect(
        thrownBy(() => collectUnstored(foundInside, () => ajson.dumps([inner, () => 1]))),
      ).toBeInstanceOf(Error);
      return ajson.dumps([outer, stored, new StoredData({ pointer })]);
    });
    expect(text).toBe(`[${[1, 2, 3].map(() => pointerTag(pointer))}]`);
    expect([[...found], [...foundInside]]).toEqual([[outer], [inner]]);
    ajson.dumps(inner);
    expect(found.size).toBe(1);
  });

  test('is copied with its rebuilt value, stored or not', () => {
    const value = { a: 1 };
    const data = new StoredData({ pointer, value });
    expect(data.rebuildValue((same) => same)).toBe(data);
    const copy = data.rebuildValue(() => 'rebuilt');
    expect(copy).not.toBe(data);
    expect(copy).toMatchObject({ pointer, value: 'rebuilt' });
    expect(hasUnstoredValue(copy)).toBe(true);
    expect(hasUnstoredValue(markStored(data).rebuildValue(() => 'rebuilt'))).toBe(false);
    for (const leaf of [null, 'a', undefined]) {
      const kept = new StoredData({ pointer, value: leaf });
      expect(kept.rebuildValue(() => 'rebuilt')).toBe(kept);
    }
  });

  test('needs a pointer', () => {
    expect(() => StoredData.parseJson({ pointer: 1 })).toThrow(new TypeError('a StoredData needs a pointer'));
    expect(StoredData.parseJson({ pointer: 'p' })).toEqual(new StoredData({ pointer: 'p' }));
  });

  test('is recognised by own fields only', () => {
    expect(pointerTag('p')).toBe(JSON.stringify(tag({ pointer: 'p' })));
    expect(pointerIn(tag({ pointer }, { _alg_class: 'Other' }))).toBeUndefined();
    expect(pointerIn(Object.create(tag({ pointer })))).toBeUndefined();
    const inherited = Object.assign(Object.create({ value: { pointer } }), tag(undefined));
    Reflect.deleteProperty(inherited, 'value');
    expect(pointerIn(inherited)).toBe('');
    expect(pointerIn(tag({ pointer: 1 }))).toBe('');
  });
});

describe('a pointer', () => {
  test.each([
    ['', undefined],
    ['b', undefined],
    ['#a!1.json', undefined],
    ['b#!1.json', undefined],
    ['b#a!1', undefined],
    ['b#a1.json', undefined],
    ['b/c#a!1.json', undefined],
    ['b!c#a!1.json', undefined],
    ['b#./a!1.json', undefined],
    ['b#a/../c!1.json', undefined],
    ['b#a\u0000!1.json', undefined],
    ['b#a\ud800!1.json', undefined],
    ['b#a!1.json', { bucket: 'b', key: 'a!1.json' }],
    ['b#a#c!1.json', { bucket: 'b', key: 'a#c!1.json' }],
    ['b#a/.../c!1.json', { bucket: 'b', key: 'a/.../c!1.json' }],
    ['b#a../.c/d.!1.json', { bucket: 'b', key: 'a../.c/d.!1.json' }],
  ])('%j has the address %j', (text, address) => {
    expect(addressOf(text)).toEqual(address);
  });

  test('is refused with its path', () => {
    expect(thrownBy(() => parsePointer('x'))).toMatchObject({
      name: 'StoredDataError',
      code: 'BAD_POINTER',
      path: '$',
      message: 'The pointer at $ is not of the form bucket#folder/name!timestamp.json.',
    });
    expect(thrownBy(() => parsePointer('x', '$.a'))).toMatchObject({ path: '$.a' });
  });

  test('is formatted with three digits of milliseconds and a name of 512 characters at most', () => {
    const parts = { bucket: 'b', folder: 'f', name: 'a b/c!d', timestamp: 12_005 };
    expect(formatPointer(parts)).toBe('b#f/a_b_c_d!12.005.json');
    expect(formatPointer({ ...parts, name: 'x'.repeat(513), timestamp: 12_999 })).toBe(
      `b#f/${'x'.repeat(512)}!12.999.json`,
    );
  });

  test('has a folder without the separators of its parts', () => {
    expect(['a', 'a/b', ' ', '...'].map(isFolderName)).toEqual([true, true, true, true]);
    expect(['', 'a!', '#a', '!', 'a/..', '../a', '.', 'a\n'].map(isFolderName)).not.toContain(true);
  });
});

describe('an error of a stored value', () => {
  test('names the bucket or the object', () => {
    expect(bucketNotAllowed('b\n', '$.a')).toMatchObject({
      code: 'BUCKET_NOT_ALLOWED',
      path: '$.a',
      retryable: false,
      message: expect.stringContaining('The pointer at $.a leads to the bucket "b\\u000a"'),
    });
    expect(tooLarge('k', 9, 8)).toMatchObject({
      code: 'STORED_DATA_TOO_LARGE',
      message: expect.stringContaining('With k, this task reads 9 bytes of stored data'),
    });
  });

  test('shows 300 characters of a key', () => {
    const text = 'a'.repeat(150) + 'b'.repeat(149);
    expect(shown(`${text}c`)).toBe(`${text}c`);
    expect(shown(`${text}cd`)).toBe(`${'a'.repeat(150)}…${'b'.repeat(147)}cd`);
    expect(shown('a\u200b\u2028b')).toBe('a\\u200b\\u2028b');
  });
});

describe('a stored body', () => {
  test('is written around its value, with flags', () => {
    expect(formatStoredBody('1').join('')).toBe('{"data_string":1,"full_unpack":true,"safe_mode":false}');
    const flags = { fullUnpack: false, safeMode: true };
    expect(formatStoredBody('1', flags).join('')).toBe(
      '{"data_string":1,"full_unpack":false,"safe_mode":true}',
    );
    expect([...streamStoredBody(['[', '1', ']'], flags)]).toEqual([
      '{"data_string":',
      '[',
      '1',
      ']',
      ',"full_unpack":false,"safe_mode":true}',
    ]);
  });

  test.each([
    ['{', 'it is not JSON'],
    ['null', 'data_string is missing'],
    ['{"full_unpack":true}', 'data_string is missing'],
    ['{"data_string":1}', 'full_unpack or safe_mode is not a boolean'],
    ['{"data_string":1,"full_unpack":1}', 'full_unpack or safe_mode is not a boolean'],
    ['{"data_string":1,"full_unpack":true,"safe_mode":1}', 'full_unpack or safe_mode is not a boolean'],
  ])('%s is refused: %s', (text, reason) => {
    const error = thrownBy(() => parseStoredBody(text, pointer)) as StoredDataError;
    expect(error).toMatchObject({
      code: 'STORED_DATA_BODY',
      message: `${pointer} is not a stored value: ${reason}.`,
    });
    expect(error.cause !== undefined).toBe(reason === 'it is not JSON');
  });

  test('has no safe_mode in version 2', () => {
    expect(parseStoredBody('{"data_string":null,"full_unpack":false}', pointer)).toEqual({
      value: null,
      fullUnpack: false,
      safeMode: false,
    });
  });
});

describe('limited work', () => {
  const turns = async (count: number) => {
    for (let turn = 0; turn < count; turn++) await null;
  };

  test('starts in order as others end or fail, and never too many', async () => {
    const limited = limitConcurrency(2);
    const started: number[] = [];
    let running = 0;
    let most = 0;
    const work = (id: number) =>
      limited(async () => {
        started.push(id);
        most = Math.max(most, ++running);
        await turns(5);
        running -= 1;
        if (id % 2) throw new Error(String(id));
        return id;
      });
    const outcomes = await Promise.allSettled([0, 1, 2, 3, 4].map(work));
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect([started, most]).toEqual([[0, 1, 2, 3, 4], 2]);
    // All places are free again.
    most = 0;
    await Promise.allSettled([6, 8, 10].map(work));
    expect(most).toBe(2);
  });

  test('takes the items of a list as others end, and none after a failure', async () => {
    const started: number[] = [];
    let running = 0;
    let most = 0;
    const work = async (id: number) => {
      started.push(id);
      most = Math.max(most, ++running);
      await turns(id === 0 ? 20 : 2);
      running -= 1;
      if (id === 4) throw new Error('broken');
    };
    await mapAtMost(2, [1, 2, 3], work);
    expect([started.splice(0), most]).toEqual([[1, 2, 3], 2]);
    await expect(mapAtMost(2, [0, 1, 2, 3, 4, 5, 6], work)).rejects.toThrow('broken');
    await turns(40);
    expect([started.splice(0), most]).toEqual([[0, 1, 2, 3, 4], 2]);
    await mapAtMost(2, [], work);
    expect(started).toEqual([]);
  });
});

describe('the pointers in a value', () => {
  const found = (value: unknown, owned = false) => {
    const pointers: [string, unknown][] = [];
    const root = findPointers(value, ['base'], owned, ({ pointer: text, keys, container, key }) => {
      pointers.push([text, keys]);
      container[key] = 'read';
    });
    return { pointers, value: root.value as unknown };
  };

  test('are replaced in copies of what holds them, with their paths', () => {
    const plain = { untouched: [1] };
    const value = { a: [1, tag({ pointer: 'p' }), [tag({ pointer: 'q' })]], plain, z: tag({ pointer: 'r' }) };
    const before = structuredClone(value);
    const { pointers, value: filled } = found(value);
    expect(pointers).toEqual([
      ['p', ['base', 'a', 1]],
      ['q', ['base', 'a', 2, 0]],
      ['r', ['base', 'z']],
    ]);
    expect(filled).toEqual({ a: [1, 'read', ['read']], plain, z: 'read' });
    expect((filled as typeof value).plain).toBe(plain);
    expect(value).toEqual(before);
  });

  test('are replaced in place if the value is owned', () => {
    const value = { a: [tag({ pointer: 'p' })] };
    expect(found(value, true).value).toBe(value);
    expect(value).toEqual({ a: ['read'] });
    const pair = { a: [tag({ pointer: 'p' })], b: [tag({ pointer: 'q' })] };
    const { b } = pair;
    expect(found(pair, true).value).toBe(pair);
    expect([pair.b === b, b]).toEqual([true, ['read']]);
    expect(found(tag({ pointer: 'p' })).value).toBe('read');
    expect(found(null).value).toBe(null);
  });

  test('leave siblings that come after in the same copy, and keys named __proto__', () => {
    const value = JSON.parse(`{"__proto__":{"x":[${JSON.stringify(tag({ pointer: 'p' }))}]},"y":{"z":1}}`);
    const { value: filled, pointers } = found(value);
    expect(pointers).toEqual([['p', ['base', '__proto__', 'x', 0]]]);
    expect(Object.keys(filled as object)).toEqual(['__proto__', 'y']);
    expect((filled as { y: unknown }).y).toBe(value.y);
    expect(Object.getPrototypeOf(filled)).toBe(Object.prototype);
  });

  test('are not looked for in instances, nor in inherited members', () => {
    class Box {
      inside = tag({ pointer: 'p' });
    }
    expect(found([new Box(), new Map([['a', tag({ pointer: 'p' })]])]).pointers).toEqual([]);
    const prototype = Object.prototype as { inherited?: unknown };
    prototype.inherited = tag({ pointer: 'p' });
    try {
      expect(found({ a: {} }).pointers).toEqual([]);
    } finally {
      delete prototype.inherited;
    }
  });

  test('may be 511 levels deep, and the error beyond that has a code', () => {
    const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
    expect(found(deep(512)).pointers).toEqual([]);
    expect(thrownBy(() => found(deep(513)))).toMatchObject({
      code: 'TOO_MANY_POINTERS',
      message: 'The value is more than 512 levels deep.',
    });
  });
});

describe('reading stored values', () => {
  const body = (text: string, more = '"full_unpack":true') => `{"data_string":${text},${more}}`;
  const reading = (texts: Record<string, string>, options: Partial<HydrateOptions> = {}) => {
    const keys: string[] = [];
    const store = {
      async get({ key }: { key: string }, { admit, signal }: ReadOptions) {
        keys.push(key);
        await null;
        signal?.throwIfAborted();
        const text = texts[key] ?? '';
        admit(text.length);
        return text;
      },
    };
    const read = (value: unknown) =>
      hydrate(value, '$.task_kwargs', {
        store,
        isAllowed: (bucket) => bucket === 'b',
        maxBytes: 1e6,
        ...options,
      });
    return { keys, read };
  };
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error: unknown) => error,
    );

  test('follows pointers in them, also those whose class name is escaped', async () => {
    const inner = JSON.stringify(tag({ pointer: 'b#in!1.json' }));
    const texts = { 'in!1.json': body('"deep"') };
    for (const text of [inner, inner.replace('Stored', '\\u0053tored'), inner.replace('D', '\\u0044')]) {
      const { read } = reading({ ...texts, 'x!1.json': body(`[${text}]`) });
      expect(await read({ x: tag({ pointer: 'b#x!1.json' }) })).toEqual({ x: ['deep'] });
    }
    const { read } = reading({ 'x!1.json': body('"caf\\u00e9 \\\\u"') });
    expect(await read(tag({ pointer: 'b#x!1.json' }))).toBe('café \\u');
  });

  test('has the path of a pointer in its errors', async () => {
    const { read } = reading({
      'x!1.json': 'no body',
      'y!1.json': body(JSON.stringify([tag({ pointer: 'z' })])),
    });
    expect(await failure(read({ a: [tag({ pointer: 'c#x!1.json' })] }))).toMatchObject({
      code: 'BUCKET_NOT_ALLOWED',
      path: '$.task_kwargs.a[0]',
    });
    expect(await failure(read({ a: tag({ pointer: 'x' }) }))).toMatchObject({
      code: 'BAD_POINTER',
      path: '$.task_kwargs.a',
    });
    expect(await failure(read({ a: tag({ pointer: 'b#x!1.json' }) }))).toMatchObject({
      code: 'STORED_DATA_BODY',
      path: '$.task_kwargs.a',
    });
    expect(await failure(read({ a: tag({ pointer: 'b#y!1.json' }) }))).toMatchObject({
      code: 'BAD_POINTER',
      path: '$.task_kwargs.a[0]',
    });
    expect(await failure(reading({}, { maxPointers: 0 }).read(tag({ pointer })))).toMatchObject({
      code: 'TOO_MANY_POINTERS',
      path: '$.task_kwargs',
      message: 'The pointer at $.task_kwargs exceeds the limit of 0 pointers (option maxPointers).',
    });
  });

  test('starts nothing once the task is stopped', async () => {
    const reason = new Error('over');
    const { keys, read } = reading({}, { signal: AbortSignal.abort(reason) });
    expect(await failure(read(tag({ pointer })))).toMatchObject({
      code: 'STORED_DATA_UNAVAILABLE',
      retryable: true,
      cause: reason,
      message: `${pointer} was not read: the task was stopped.`,
    });
    expect(keys).toEqual([]);
  });

  test('keeps a StoredData that asks for it, as stored', async () => {
    const { read } = reading({ 'x!1.json': body('[1]', '"full_unpack":false') });
    const data = (await read(tag({ pointer: 'b#x!1.json' }))) as StoredData;
    expect(data).toBeInstanceOf(StoredData);
    expect(data).toMatchObject({ pointer: 'b#x!1.json', value: [1] });
    expect(hasUnstoredValue(data)).toBe(false);
  });

  test('in safe mode leaves tags and pointers as they are', async () => {
    const inner = tag({ pointer: 'b#in!1.json' });
    const { keys, read } = reading({
      'x!1.json': body(JSON.stringify([inner]), '"full_unpack":true,"safe_mode":true'),
    });
    const value = await read({ x: tag({ pointer: 'b#x!1.json' }) });
    expect(value).toEqual({ x: [inner] });
    expect(keys).toEqual(['x!1.json']);
    expect(ajson.rebuildEvent(value as object)).toEqual({ x: [inner] });
  });

  test('reads a value again that is repeated later, if its text has more than a mebibyte', async () => {
    const again = body(JSON.stringify([tag({ pointer: 'b#a!1.json' })]));
    const readsOf = async (length: number) => {
      const text = body(JSON.stringify('x'.repeat(length - body('""').length)));
      expect(text).toHaveLength(length);
      const texts = { 'a!1.json': text, 'again!1.json': again };
      const sizes: number[] = [];
      const options = { maxBytes: 1e9, onRead: (bytes: number) => sizes.push(bytes) };
      const { keys, read } = reading(texts, options);
      await read([tag({ pointer: 'b#a!1.json' }), [tag({ pointer: 'b#again!1.json' })]]);
      expect(sizes.reduce((sum, size) => sum + size)).toBe(again.length + (keys.length - 1) * length);
      return keys;
    };
    expect(await readsOf(1024 * 1024)).toEqual(['a!1.json', 'again!1.json']);
    expect(await readsOf(1024 * 1024 + 1)).toEqual(['a!1.json', 'again!1.json', 'a!1.json']);
  });

  test('without a pointer opens nothing', async () => {
    const value = { a: [1, { b: null }] };
    const { keys, read } = reading({});
    expect(await read(value)).toBe(value);
    expect(keys).toEqual([]);
  });
});
