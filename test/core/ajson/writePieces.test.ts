import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { writePieces } from '../../../core/ajson/writePieces.ts';
import {
  type Ajson,
  AlgObject,
  ajson,
  createAjson,
  Datetime,
  FrozenSet,
  StoredData,
  tuple,
} from '../../../core/index.ts';
import { collectUnstored } from '../../../core/storedData/StoredData.ts';
import { anyValue, Box } from './anyValue.ts';

const boxes = createAjson({ classes: [{ class: Box, module: 'test.boxes', name: 'Box' }] });
const textOf = (value: unknown, by: Pick<Ajson, 'dumps'> = boxes, pieceLength?: number) =>
  [...writePieces(by, value, pieceLength)].join('');
const wholeOf = (value: unknown, by: Pick<Ajson, 'dumps'> = boxes) => by.dumps(value, { tags: 'keep' });

/** Lists that are divided into batches, and objects with many members. */
const anyLargeValue = fc.oneof(
  anyValue,
  fc.array(anyValue, { maxLength: 90, size: 'max' }),
  fc.array(anyValue, { minLength: 64, maxLength: 300, size: 'max' }),
  fc.dictionary(fc.string(), anyValue, { minKeys: 60, maxKeys: 80, size: 'max' }),
  fc.record({ rows: fc.array(anyValue, { minLength: 60, maxLength: 70, size: 'max' }), more: anyValue }),
);

test('the pieces are the text of dumps', () => {
  fc.assert(
    fc.property(anyLargeValue, fc.constantFrom(undefined, 1, 40, 1000), (value, pieceLength) => {
      expect(textOf(value, boxes, pieceLength)).toBe(wholeOf(value));
    }),
    { numRuns: 150 },
  );
});

test('so are those of parsed text, with its tags and the words of Python', () => {
  const texts = ['[NaN,[1,{"a":-Infinity}],2]', '{"a":{"b":NaN},"c":[NaN]}', `[${'NaN,'.repeat(99)}-0.0]`];
  for (const text of texts) expect(textOf(ajson.raw(text), ajson, 4)).toBe(wholeOf(ajson.raw(text), ajson));
  fc.assert(
    fc.property(anyLargeValue, (value) => {
      const parsed = boxes.raw(boxes.dumps(value));
      expect(textOf(parsed, boxes, 10)).toBe(wholeOf(parsed));
    }),
    { numRuns: 40 },
  );
});

describe('of many items', () => {
  const items = Array.from({ length: 1500 }, (_, index) => (index % 7 ? `item ${index}` : { index }));
  const texts = items.map((_, index) => `item ${index}`);

  test.each<[string, unknown]>([
    ['a list', items],
    ['a list with undefined', (items as unknown[]).with(1400, undefined)],
    ['a set', new Set(texts)],
    ['a frozen set', new FrozenSet(texts)],
    ['a map', new Map(items.map((item, index) => [`key ${index}`, item]))],
    ['a tuple', tuple(items)],
  ])('%s has the text of dumps in many pieces', (_, value) => {
    for (const pieceLength of [100, 5000]) {
      const pieces = [...writePieces(ajson, value, pieceLength)];
      expect(pieces.join('')).toBe(wholeOf(value, ajson));
      expect(pieces.length).toBeGreaterThan(4);
      expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(pieceLength * 6);
    }
  });

  test('a list with a hole is refused, like by dumps', () => {
    const holed = [...items];
    delete holed[1400];
    let refusal: unknown;
    try {
      wholeOf(holed, ajson);
    } catch (error) {
      refusal = error;
    }
    expect(() => textOf(holed, ajson, 100)).toThrow(refusal as Error);
  });
});

test('a long text is cut between characters, and not within one', () => {
  fc.assert(
    fc.property(
      fc.nat(3),
      fc.constantFrom('😀', '\ud83d', '\ude00', '\ud83d\ud83d\ude00', '"', '\n', 'é'),
      (shift, unit) => {
        const text = 'x'.repeat(shift) + unit.repeat(200_000 / unit.length);
        // Not toBe, which would print both.
        expect(textOf({ text }) === wholeOf({ text })).toBe(true);
        expect(textOf(text) === wholeOf(text)).toBe(true);
      },
    ),
    { numRuns: 25 },
  );
});

test('stand-ins of numbers stay within their piece', () => {
  const list = Array.from({ length: 500 }, (_, index) =>
    index % 3 ? 2n ** 70n + BigInt(index) : '1.7e+308',
  );
  expect(textOf({ list, n: -0 })).toBe(wholeOf({ list, n: -0 }));
});

describe('an error is that of dumps, with its path', () => {
  const cyclic: unknown[] = Array.from({ length: 100 }, () => 0);
  cyclic[80] = { back: cyclic };
  const few: { again?: unknown } = {};
  few.again = [few];
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
  const holes = Object.assign([1], { length: 3 });
  const cases: [string, unknown][] = [
    ['a function', { a: [1, { b: () => 1 }] }],
    ['in a long list', Array.from({ length: 200 }, (_, index) => (index === 150 ? Symbol('x') : index))],
    [
      'in an object with many members',
      Object.fromEntries(Array.from({ length: 90 }, (_, n) => [`k${n}`, n === 70 ? NaN : n])),
    ],
    ['a cycle', cyclic],
    ['a cycle of few', few],
    ['too deep', deep(513)],
    ['a hole', { holes }],
    [
      'a hole in a long list',
      Object.assign(
        Array.from({ length: 100 }, () => 1),
        { length: 110 },
      ),
    ],
    [
      'toJson that throws',
      [
        new (class extends Box {
          override toJson(): never {
            throw new Error('no');
          }
        })(1, 2),
      ],
    ],
  ];

  test.each(cases)('%s', (_, value) => {
    const caught = (work: () => unknown) => {
      try {
        work();
      } catch (error) {
        return error;
      }
      return undefined;
    };
    const error = caught(() => wholeOf(value)) as Error;
    expect(error).toMatchObject({ name: 'AjsonError' });
    for (const length of [undefined, 20])
      expect(caught(() => textOf(value, boxes, length))).toMatchObject({
        name: 'AjsonError',
        message: error.message,
      });
  });

  test('and the deepest value that is allowed is written', () => {
    for (const length of [undefined, 1]) expect(textOf(deep(512), boxes, length)).toBe(wholeOf(deep(512)));
  });
});

class Report extends AlgObject {
  static parseJson({ rows }: { rows: unknown }) {
    return new Report(rows);
  }
  readonly rows: unknown;
  constructor(rows: unknown) {
    super();
    this.rows = rows;
  }
}

class Hidden extends AlgObject {
  readonly #rows: readonly unknown[] | string;
  static parseJson(rows: unknown[]) {
    return new Hidden(rows);
  }
  constructor(rows: readonly unknown[] | string) {
    super();
    this.#rows = rows;
  }
  override toJson() {
    return this.#rows;
  }
}

const reports = createAjson({
  classes: [
    { class: Report, module: 'test.reports', name: 'Report' },
    { class: Hidden, module: 'test.reports', name: 'Hidden' },
  ],
});

describe('every kind of container is divided', () => {
  const rows = Array.from({ length: 500 }, (_, id) => ({ id, at: new Date(id), missing: undefined }));
  const underscored = Object.assign(new Report(rows), { _name: 'a', missing: undefined });
  const unknown = createAjson({ unknown: 'keep' }).loads(reports.dumps(new Report(rows)));
  const cases: [string, unknown][] = [
    ['a class', new Report(rows)],
    ['a class within one', new Report([new Report(rows)])],
    ['a class with names of its own', underscored],
    ['a class whose toJson returns a list', new Hidden(rows)],
    ['a class whose toJson returns a text', new Hidden('"é😀'.repeat(5000))],
    ['a class that is not registered here', unknown],
    ['a tuple', tuple(...rows)],
    ['a Map', new Map(rows.map((row) => [`key ${row.id}`, row]))],
    ['a Map with few members', new Map([['rows', rows]])],
    ['a Set', new Set(rows.map(({ id }) => tuple(id, [`item ${id}`], new Set([id]))))],
    ['a FrozenSet', new FrozenSet(rows.map(({ id }) => 2n ** 70n + BigInt(id)))],
    ['bytes', Uint8Array.from({ length: 200_000 }, (_, index) => index)],
    ['a Buffer', Buffer.alloc(200_000, 'abc')],
    ['an object without a prototype', Object.assign(Object.create(null), { rows })],
    ['many keys and one large value', { ...Object.fromEntries(rows.map(({ id }) => [`k${id}`, id])), rows }],
    ['one large item among small ones', [...Array.from({ length: 300 }, (_, id) => id), { rows }, 1]],
  ];

  test.each(cases)('%s', (_, value) => {
    const pieces = [...writePieces(reports, [value], 2000)];
    expect(pieces.join('') === wholeOf([value], reports)).toBe(true);
    // Bytes are converted in pieces of 65,536 characters.
    const longest = ArrayBuffer.isView(value) ? 65_536 : 8000;
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(longest);
  });

  test('an Error and a value of a custom kind are one piece', () => {
    const custom = createAjson({
      custom: {
        rows: { is: (value) => value instanceof URLSearchParams, toJson: () => rows, parseJson: String },
      },
    });
    const values = [Object.assign(new Error('broken'), { rows }), new URLSearchParams()];
    for (const value of values) expect(textOf({ value }, custom, 10)).toBe(wholeOf({ value }, custom));
  });

  test('the field _alg_class of an instance is refused', () => {
    const report = Object.assign(new Report(rows), { _alg_class: 'x' });
    expect(() => textOf(report, reports, 100)).toThrow(/cannot have this name/);
  });
});

test('no piece of a large plain value is large', () => {
  const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, at: new Datetime(id), tags: ['a', 'b'] }));
  const values = [
    rows,
    { meta: { n: 1 }, groups: [{ rows }, { rows }] },
    Object.fromEntries(rows.map((row) => [`key${row.id}`, row])),
    { text: 'x'.repeat(5_000_000) },
  ];
  for (const value of values) {
    const lengths = [...writePieces(ajson, value)].map((piece) => piece.length);
    expect(Math.max(...lengths)).toBeLessThan(300_000);
    expect(lengths.length).toBeLessThan(lengths.reduce((sum, length) => sum + length) / 20_000);
  }
  expect([...writePieces(ajson, { a: 1, b: [2, { c: 3 }] })]).toHaveLength(1);
});

test('a registry with kinds or a dumps of its own writes the text itself', () => {
  const shouting = createAjson({
    custom: { loud: { is: (value) => typeof value === 'string', toJson: String, parseJson: String } },
  });
  expect(textOf(['a'], shouting)).toBe(wholeOf(['a'], shouting));
  expect([...writePieces({ ...ajson, dumps: () => 'mine' }, { a: 1 })]).toEqual(['mine']);
  expect([...writePieces({ dumps: ajson.dumps }, { a: 1 })]).toEqual(['{"a":1}']);
});

test('a StoredData is collected when its piece is taken', () => {
  const data = new StoredData({ pointer: 'b#f/n!1.5.json', value: 1 });
  const value = { rows: Array.from({ length: 5000 }, () => 'x'.repeat(100)), data: [data] };
  const found = new Set<StoredData>();
  const pieces = writePieces(ajson, value);
  collectUnstored(found, () => pieces.next());
  expect(found.size).toBe(0);
  for (const _ of { [Symbol.iterator]: () => ({ next: () => collectUnstored(found, () => pieces.next()) }) });
  expect([...found]).toEqual([data]);
});
