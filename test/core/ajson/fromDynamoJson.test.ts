import { describe, expect, test } from '@jest/globals';
import { Decimal, fromDynamoJson } from '../../../core/ajson/index.ts';

describe('fromDynamoJson', () => {
  test('decodes every type', () => {
    const decoded = fromDynamoJson<Record<string, unknown>>({
      id: { S: 'a' },
      price: { N: '1.10' },
      bytes: { B: 'AAH/' },
      paid: { BOOL: false },
      note: { NULL: true },
      lines: { L: [{ M: { sku: { S: 'x' } } }, { N: '2' }] },
      names: { SS: ['p', 'q'] },
      sizes: { NS: ['1', '2.50'] },
      blobs: { BS: ['AA=='] },
    });
    expect(decoded).toEqual({
      id: 'a',
      price: expect.any(Decimal),
      bytes: Uint8Array.of(0, 1, 255),
      paid: false,
      note: null,
      lines: [{ sku: 'x' }, expect.any(Decimal)],
      names: new Set(['p', 'q']),
      sizes: expect.any(Set),
      blobs: new Set([Uint8Array.of(0)]),
    });
    expect(String(decoded['price'])).toBe('1.10');
    expect([...(decoded['sizes'] as Set<Decimal>)].map(String)).toEqual(['1', '2.50']);
  });

  test('accepts a single tagged value, and an item with an attribute named like a type', () => {
    expect(fromDynamoJson({ S: 'a' })).toBe('a');
    expect(fromDynamoJson({ M: { S: { S: 'a' } } })).toEqual({ S: 'a' });
    expect(fromDynamoJson({ S: { S: 'a' } })).toEqual({ S: 'a' });
    expect(fromDynamoJson({ M: { M: { a: { S: 'x' } } } })).toEqual({ M: { a: 'x' } });
    expect(fromDynamoJson({ B: Uint8Array.of(1) })).toEqual(Uint8Array.of(1));
  });

  test('keeps a key named __proto__ as data', () => {
    const decoded = fromDynamoJson<object>(JSON.parse('{"__proto__":{"S":"x"},"a":{"S":"y"}}'));
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
    expect(Object.entries(decoded)).toEqual([
      ['__proto__', 'x'],
      ['a', 'y'],
    ]);
  });

  test('refuses anything else, with the path', () => {
    const nested = JSON.parse(`${'{"L":['.repeat(2000)}${']}'.repeat(2000)}`);
    for (const [json, path] of [
      [{ a: { L: [{ N: 'x' }] } }, '$.a.L[0].N'],
      [{ a: { Q: 1 } }, '$.a'],
      [{ a: { constructor: 1 } }, '$.a'],
      [{ a: { S: 1 } }, '$.a.S'],
      [{ a: { B: '*' } }, '$.a.B'],
      [{ a: { SS: {} } }, '$.a.SS'],
      [{ a: { NULL: false } }, '$.a.NULL'],
      [null, '$'],
    ] as const) {
      expect(() => fromDynamoJson(json)).toThrow(expect.objectContaining({ name: 'AjsonError', path }));
    }
    expect(() => fromDynamoJson(nested)).toThrow('too deep');
  });
});
