import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CsvError, parseCsv } from '../../../examples/market/parseCsv.ts';

const cells = (text: string): string[][] => parseCsv(text).map((row) => row.cells);

describe('parseCsv', () => {
  test.each<[string, string[][]]>([
    ['', []],
    ['\n\r\n  \n', []],
    ['a,b', [['a', 'b']]],
    [
      'a,b\r\nc,d\r\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a,b\rc,d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a,\n,b',
      [
        ['a', ''],
        ['', 'b'],
      ],
    ],
    ['a,', [['a', '']]],
    [',\n', [['', '']]],
    ['"a, ""b""\r\nc",d', [['a, "b"\r\nc', 'd']]],
    ['""', [['']]],
    ['\uFEFFa,b', [['a', 'b']]],
  ])('%j', (text, expected) => {
    expect(cells(text)).toEqual(expected.filter((row) => row.length > 1 || row[0] !== ''));
  });

  test('has the line number of each row, also after multi-line cells', () => {
    expect(parseCsv('a\n"b\nb\r\nb"\n\nc').map((row) => row.line)).toEqual([1, 2, 6]);
  });

  test.each([
    ['a\nb,"c\nd', 2, 'never closed'],
    ['a\n\nb"c"', 3, 'not in quotes itself'],
    ['"a"b', 1, 'not in quotes itself'],
  ])('refuses %j with its line number', (text, line, message) => {
    const attempt = (): unknown => parseCsv(text);
    expect(attempt).toThrow(CsvError);
    expect(attempt).toThrow(expect.objectContaining({ line, message: expect.stringContaining(message) }));
  });

  test('reads back any table written by the RFC', () => {
    const row = fc.array(fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é') }), {
      minLength: 2,
      maxLength: 4,
    });
    const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(fc.array(row), fc.constantFrom('\n', '\r\n'), (rows, end) => {
        expect(cells(rows.map((row) => row.map(quoted).join(',')).join(end))).toEqual(rows);
      }),
    );
  });

  test('reads a cell of a million characters', () => {
    expect(cells(`"${'a""'.repeat(500_000)}",b`)[0]?.[0]).toHaveLength(1_000_000);
  });
});
