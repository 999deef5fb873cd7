import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ajson } from '../../core/ajson/index.ts';
import { PointerError, StoredDataBodyError } from '../../core/errors.ts';
import {
  formatPointer,
  formatStoredBody,
  isFolderName,
  parsePointer,
  parseStoredBody,
  pointerIn,
  pointerTag,
  StoredData,
} from '../../core/storedData.ts';

const bucket = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,20}$/);
const folder = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }).filter(isFolderName);
const parts = fc.record({
  bucket,
  folder,
  name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
  timestamp: fc.integer({ min: 0, max: 4_102_444_800_000 }),
});

describe('a pointer', () => {
  test('is what WIRE has', () => {
    const pointer = formatPointer({
      bucket: 'b',
      folder: 'cache',
      name: 'a-1',
      timestamp: 1_565_012_856_047,
    });
    expect(pointer).toBe('b#cache/a-1!1565012856.047.json');
    expect(parsePointer(pointer)).toEqual({ bucket: 'b', key: 'cache/a-1!1565012856.047.json' });
  });

  test('that is put together can be taken apart, here and by its characters alone', () =>
    fc.assert(
      fc.property(parts, (all) => {
        const pointer = formatPointer(all);
        const { bucket, key } = parsePointer(pointer);
        expect(`${bucket}#${key}`).toBe(pointer);
        expect(bucket).toBe(all.bucket);
        // As Python does it.
        const [before = '', after = ''] = pointer.split('#')[1]?.split('!') ?? [];
        const [inFolder, name, ...rest] = before.split('/');
        expect({ inFolder, rest }).toEqual({ inFolder: all.folder, rest: [] });
        expect(name).toMatch(/^[\w.-]+$/);
        expect(Number(after.slice(0, -'.json'.length))).toBeCloseTo(all.timestamp / 1000, 3);
      }),
    ));

  test('is the same for the same message, and another for another', () =>
    fc.assert(
      fc.property(parts, fc.uuid(), fc.uuid(), (all, one, other) => {
        fc.pre(one !== other);
        expect(formatPointer({ ...all, name: one })).toBe(formatPointer({ ...all, name: one }));
        expect(formatPointer({ ...all, name: one })).not.toBe(formatPointer({ ...all, name: other }));
      }),
    ));

  test('has a key that S3 takes, however long the name', () => {
    const pointer = formatPointer({ bucket: 'b', folder: 'f', name: 'ü'.repeat(5000), timestamp: 0 });
    expect(Buffer.byteLength(parsePointer(pointer).key)).toBeLessThanOrEqual(1024);
  });

  test('of any text is either refused with its path, or within one folder of one bucket', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('b', '#', '/', '!', '.', '1', '.json', '..', '\n') }),
    );
    fc.assert(
      fc.property(text, (pointer) => {
        let address: ReturnType<typeof parsePointer>;
        try {
          address = parsePointer(pointer, '$.a');
        } catch (error) {
          expect(error).toBeInstanceOf(PointerError);
          expect(error).toMatchObject({ path: '$.a' });
          return;
        }
        expect(`${address.bucket}#${address.key}`).toBe(pointer);
        const [folder, ...names] = address.key.split('/');
        expect(names).toHaveLength(1);
        expect(['', '.', '..']).not.toContain(folder);
        expect(address.key).toMatch(/!\d+(\.\d+)?\.json$/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a stored body', () => {
  const value = fc.jsonValue();

  test('gives back what was stored', () =>
    fc.assert(
      fc.property(value, (one) => {
        const { value, fullUnpack, safeMode } = parseStoredBody(formatStoredBody(ajson.dumps(one)), 'p');
        expect({ fullUnpack, safeMode }).toEqual({ fullUnpack: true, safeMode: false });
        expect(JSON.stringify(value)).toBe(JSON.stringify(one));
      }),
    ));

  test('of version 2 has no safe_mode', () => {
    expect(parseStoredBody('{"data_string":1,"full_unpack":false}', 'p')).toEqual({
      value: 1,
      fullUnpack: false,
      safeMode: false,
    });
  });

  test('keeps tags as tags, and every digit of an integer', () => {
    const text = '{"data_string":[{"_alg_class":"set","value":[1]},12345678901234567890],"full_unpack":true}';
    expect(parseStoredBody(text, 'p').value).toEqual([
      { _alg_class: 'set', value: [1] },
      12345678901234567890n,
    ]);
  });

  test('of any other text is an error that names the pointer', () =>
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        fc.pre(!text.includes('data_string'));
        expect(() => parseStoredBody(text, 'the pointer')).toThrow(StoredDataBodyError);
        expect(() => parseStoredBody(text, 'the pointer')).toThrow('the pointer');
      }),
    ));
});

describe('StoredData', () => {
  const pointer = 'b#cache/x!1.5.json';

  test('crosses the wire as a pointer, and without its value', () => {
    expect(ajson.dumps(new StoredData({ pointer, value: 'large' }))).toBe(pointerTag(pointer));
    const back = ajson.loads(pointerTag(pointer));
    expect(back).toBeInstanceOf(StoredData);
    expect(back).toMatchObject({ pointer, value: undefined });
  });

  test('is found as an object and as a tag, with the fields that Python has', () => {
    const tag = (value: unknown) => ({ _alg_class: 'StoredData', _alg_module: 'algernon.aws.snakes', value });
    expect(pointerIn(new StoredData({ pointer }))).toBe(pointer);
    expect(pointerIn(tag({ pointer }))).toBe(pointer);
    expect(pointerIn(tag({ _pointer: pointer }))).toBe(pointer);
    expect(pointerIn(new StoredData({ pointer, value: 1 }))).toBeUndefined();
    expect(pointerIn({ pointer })).toBeUndefined();
    expect(pointerIn({ ...tag({ pointer }), _alg_module: 'another' })).toBeUndefined();
    expect(pointerIn(Object.create(tag({ pointer })))).toBeUndefined();
  });

  test.each([undefined, null, 7, [], {}, { pointer: 7 }, 'text'])(
    'whose fields are %j has a pointer that leads nowhere',
    (value) => {
      const found = pointerIn({ _alg_class: 'StoredData', _alg_module: 'algernon.aws.snakes', value });
      expect(() => parsePointer(found as string)).toThrow(PointerError);
    },
  );
});
