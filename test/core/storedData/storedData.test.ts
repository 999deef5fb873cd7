import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ajson } from '../../../core/ajson/index.ts';
import { formatPointer, isFolderName, parsePointer } from '../../../core/storedData/pointer.ts';
import { pointerIn, pointerTag, StoredData } from '../../../core/storedData/StoredData.ts';
import { formatStoredBody, parseStoredBody } from '../../../core/storedData/storedBody.ts';

const bucket = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,20}$/);
const folder = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }).filter(isFolderName);
const parts = fc.record({
  bucket,
  folder,
  name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
  timestamp: fc.integer({ min: 0, max: 4_102_444_800_000 }),
});

describe('a pointer', () => {
  test('has the format of WIRE.md', () => {
    const pointer = formatPointer({
      bucket: 'b',
      folder: 'cache',
      name: 'a-1',
      timestamp: 1_565_012_856_047,
    });
    expect(pointer).toBe('b#cache/a-1!1565012856.047.json');
    expect(parsePointer(pointer)).toEqual({ bucket: 'b', key: 'cache/a-1!1565012856.047.json' });
  });

  test('is parsed back into the parts that it was made of', () =>
    fc.assert(
      fc.property(parts, (all) => {
        const pointer = formatPointer(all);
        const { bucket, key } = parsePointer(pointer);
        expect(`${bucket}#${key}`).toBe(pointer);
        expect(bucket).toBe(all.bucket);
        const [before = '', after = ''] = pointer.split('#')[1]?.split('!') ?? [];
        const slash = before.lastIndexOf('/');
        const name = before.slice(slash + 1);
        expect(before.slice(0, slash)).toBe(all.folder);
        expect(name).toMatch(/^[\w.-]+$/);
        expect(Number(after.slice(0, -'.json'.length))).toBeCloseTo(all.timestamp / 1000, 3);
      }),
    ));

  test('is the same for the same message, and differs between messages', () =>
    fc.assert(
      fc.property(parts, fc.uuid(), fc.uuid(), (all, name, other) => {
        fc.pre(name !== other);
        expect(formatPointer({ ...all, name })).toBe(formatPointer({ ...all, name }));
        expect(formatPointer({ ...all, name })).not.toBe(formatPointer({ ...all, name: other }));
      }),
    ));

  test('has a key that S3 accepts, even for a long name', () => {
    const pointer = formatPointer({ bucket: 'b', folder: 'f', name: 'ü'.repeat(5000), timestamp: 0 });
    expect(Buffer.byteLength(parsePointer(pointer).key)).toBeLessThanOrEqual(1024);
  });

  test.each([
    ['a folder in a folder', 'prod/cache/ab12!1565012856.447914.json'],
    ['an empty folder', '/ab!1.5.json'],
    ['a folder that ends in a slash', 'cache//ab!1.5.json'],
    ['a name with !', 'cache/a!b!1.5.json'],
    ['a name with /', 'cache/a/b/c!1.5.json'],
    ['a name with #', 'cache/a#b!1.5.json'],
    ['a name with dots', 'cache/a..b/...c!1.5.json'],
    ['no name', 'cache/!1.5.json'],
    ['a time that is text', 'cache/a!now.json'],
    ['a time in another notation', 'cache/a!1e3.json'],
    ['a time with a zone', 'cache/a!2024-01-01T00:00:00+01:00.json'],
    ['no time', 'cache/a!.json'],
    ['other letters', 'Büro/ñ 😀!1.5.json'],
  ])('may have %s: its key is everything after the first #', (_, key) => {
    expect(parsePointer(`bucket#${key}`)).toEqual({ bucket: 'bucket', key });
  });

  test('is either refused with its path or has a key below the bucket', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('b', '#', '/', '!', '.', '1', '.json', '..', '\n', '\ud800') }),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          text.map((middle) => `b#${middle}!1.json`),
        ),
        (pointer) => {
          let address: ReturnType<typeof parsePointer>;
          try {
            address = parsePointer(pointer, '$.a');
          } catch (error) {
            expect(error).toMatchObject({ code: 'BAD_POINTER', path: '$.a' });
            return;
          }
          expect(`${address.bucket}#${address.key}`).toBe(pointer);
          expect(address.bucket).not.toMatch(/[#/!]/);
          const encoded = address.key.split('/').map(encodeURIComponent).join('/');
          expect(new URL(`https://host/${encoded}`).pathname.split('/')).toHaveLength(
            address.key.split('/').length + 1,
          );
          expect(address.key).toMatch(/!.*\.json$/u);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('of any length is checked quickly', () => {
    const before = performance.now();
    for (const part of ['#', '!', '/', '!.json', '../', '.']) {
      expect(() => parsePointer(`b#${part.repeat(300_000)}`)).toThrow(/form bucket#/);
    }
    // Matching it in quadratic time takes minutes.
    expect(performance.now() - before).toBeLessThan(2000);
  });
});

test.each(['cache', 'prod/cache', '/cache', 'cache/', 'a.b'])('isFolderName accepts %s', (name) => {
  expect(isFolderName(name)).toBe(true);
});

test.each(['', 'a#b', 'a!b', '.', '..', 'a/../b', './a', 'a\n', '\ud800'])(
  'isFolderName refuses %j',
  (name) => {
    expect(isFolderName(name)).toBe(false);
  },
);

describe('a stored body', () => {
  const value = fc.jsonValue();

  test('returns what was stored', () =>
    fc.assert(
      fc.property(value, (stored) => {
        const { value, fullUnpack, safeMode } = parseStoredBody(
          formatStoredBody(ajson.dumps(stored)).join(''),
          'p',
        );
        expect({ fullUnpack, safeMode }).toEqual({ fullUnpack: true, safeMode: false });
        expect(JSON.stringify(value)).toBe(JSON.stringify(stored));
      }),
    ));

  test('of version 2 lacks safe_mode', () => {
    expect(parseStoredBody('{"data_string":1,"full_unpack":false}', 'p')).toEqual({
      value: 1,
      fullUnpack: false,
      safeMode: false,
    });
  });

  test('keeps tags and every digit', () => {
    const text = '{"data_string":[{"_alg_class":"set","value":[1]},12345678901234567890],"full_unpack":true}';
    expect(parseStoredBody(text, 'p').value).toEqual([
      { _alg_class: 'set', value: [1] },
      12345678901234567890n,
    ]);
  });

  test('is refused if malformed, naming the pointer', () =>
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        fc.pre(!text.includes('data_string'));
        expect(() => parseStoredBody(text, 'the pointer')).toThrow(
          expect.objectContaining({
            code: 'STORED_DATA_BODY',
            message: expect.stringContaining('the pointer is not a stored value'),
          }),
        );
      }),
    ));
});

describe('StoredData', () => {
  const pointer = 'b#cache/x!1.5.json';

  test('is sent as a pointer without its value', () => {
    expect(ajson.dumps(new StoredData({ pointer, value: 'large' }))).toBe(pointerTag(pointer));
    const back = ajson.loads(pointerTag(pointer));
    expect(back).toBeInstanceOf(StoredData);
    expect(back).toMatchObject({ pointer, value: undefined });
  });

  test('prints its pointer', () => {
    const data = new StoredData({ pointer, value: { a: 1 } });
    expect([`${data}`, String(data), [data, 1].join()]).toEqual([pointer, pointer, `${pointer},1`]);
  });

  test("is recognised as an object and as a tag with Python's fields", () => {
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
    'with the fields %j has a bad pointer',
    (value) => {
      const found = pointerIn({ _alg_class: 'StoredData', _alg_module: 'algernon.aws.snakes', value });
      expect(() => parsePointer(found as string)).toThrow(expect.objectContaining({ code: 'BAD_POINTER' }));
    },
  );
});
