import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseTable, readTable } from '../../../../examples/market/input/readTable.ts';

const cells = (text: string): string[][] => parseTable('x.csv', text).map((row) => row.cells);

describe('parseTable', () => {
  test.each<[string, string[][]]>([
    ['', []],
    ['\n\r\n  \n', []],
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
    ['a, b ', [['a', 'b']]],
    ['a,b\n,\n;\nc,d', [['a', 'b'], [';'], ['c', 'd']]],
    ['"a, ""b""\r\nc",d', [['a, "b"\nc', 'd']]],
    [
      'a;b\n1,5;2',
      [
        ['a', 'b'],
        ['1,5', '2'],
      ],
    ],
    [
      'a\tb\n1,5\t"2;3"',
      [
        ['a', 'b'],
        ['1,5', '2;3'],
      ],
    ],
    [
      'a|b\n1|2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    ['sep=;\na;b,c', [['a', 'b,c']]],
  ])('%j', (text, expected) => {
    expect(cells(text)).toEqual(expected);
  });

  test('has the line number of each row, also after multi-line cells and empty rows', () => {
    const text = 'sep=,\n\na,1\n"b\nb\r\nb",2\n,,\n\n"",\nc,3';
    expect(parseTable('x.csv', text).map((row) => row.line)).toEqual([3, 4, 10]);
  });

  test.each([
    ['a\nb,"c\nd', 'x.csv line 2: a quote is opened here and never closed'],
    ['a,b\n\n"a"b,c', 'x.csv line 3: a cell in quotes has text after them'],
  ])('refuses %j with its line number', (text, message) => {
    expect(() => cells(text)).toThrow(
      expect.objectContaining({ name: 'InputError', message: expect.stringContaining(message) }),
    );
  });

  test('reads back any table written by the RFC', () => {
    const cell = fc
      .string({ unit: fc.constantFrom('a', '"', ',', ';', '\n', ' ', 'é') })
      .map((text) => `x${text}x`);
    const row = fc.array(cell, { minLength: 3, maxLength: 3 });
    const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
    const separators = fc.constantFrom(',', ';', '\t', '|');
    fc.assert(
      fc.property(fc.array(row), separators, fc.constantFrom('\n', '\r\n'), (rows, separator, end) => {
        const text = [`sep=${separator}`, ...rows.map((row) => row.map(quoted).join(separator))].join(end);
        expect(cells(text)).toEqual(rows);
      }),
    );
  });

  test('reads a cell of a million characters', () => {
    expect(cells(`"${'a""'.repeat(500_000)}",b`)[0]?.[0]).toHaveLength(1_000_000);
  });
});

describe('readTable', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'market-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each([
    ['UTF-8', Buffer.from('é,1')],
    ['UTF-8 with a mark', Buffer.from('\uFEFFé,1')],
    ['UTF-16', Buffer.from('\uFEFFé\t1', 'utf16le')],
    ['big-endian UTF-16', Buffer.from('\uFEFFé\t1', 'utf16le').swap16()],
  ])('reads %s', async (name, bytes) => {
    const file = join(folder, `${name}.csv`);
    await writeFile(file, bytes);
    expect(await readTable(file)).toEqual([{ line: 1, cells: ['é', '1'] }]);
  });
});
