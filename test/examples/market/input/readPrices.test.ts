import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readLocale } from '../../../../examples/market/input/readLocale.ts';
import { type ReadOptions, readPrices } from '../../../../examples/market/input/readPrices.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'market-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function csv(name: string, content: string | Uint8Array): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

/** The quotes of a file in short: `MSFT 2000-01-31 39.81`. */
async function read(content: string, options?: ReadOptions): Promise<string[]> {
  const { quotes } = await readPrices([await csv('SAP.csv', content)], options);
  return [...quotes].flatMap(([symbol, list]) => list.map(({ date, price }) => `${symbol} ${date} ${price}`));
}

/** The error that a file is refused with. */
async function refusal(content: string | Uint8Array, options?: ReadOptions): Promise<string> {
  const file = await csv('bad.csv', content);
  const error: unknown = await readPrices([file], options).catch((reason: unknown) => reason);
  expect(error).toHaveProperty('name', 'InputError');
  expect(String(error)).not.toContain('\n');
  return String(error).replaceAll(file, 'bad.csv').replace('InputError: ', '');
}

describe('the columns', () => {
  test.each<[string, string, ReadOptions, string[]]>([
    [
      'in any order and case, among others',
      'Volume, PRICE ,Date,"symbol"\n1,39.80,"Jan 1, 2000",MSFT\n2,7,2000-01-02,IBM\n',
      {},
      ['MSFT 2000-01-01 39.8', 'IBM 2000-01-02 7'],
    ],
    ['with the usual names', 'Datum;Ticker;Open;Close\n1.2.2000;A;1;2,5\n', {}, ['A 2000-02-01 2.5']],
    ['without symbols', 'Date,Open,Close,Volume\n2000-01-01,1,2,3\n', {}, ['SAP 2000-01-01 2']],
    ['by their content', 'observed,SP500\n2000-01-01,7\n2000-01-02,.\n', {}, ['SAP 2000-01-01 7']],
    ['without a header', 'A,2000-01-01,7\nA,2000-01-02,8\n', {}, ['A 2000-01-01 7', 'A 2000-01-02 8']],
    [
      'by the names of the options',
      'Firma,Tag,Datum,Kurs,Preis\nA,1,2000-01-01,7,8\n',
      { symbol: 'firma', price: 'PREIS' },
      ['A 2000-01-01 8'],
    ],
    ['by number', '2000-01-01;A;7;8\n', { price: '4', symbol: '2' }, ['A 2000-01-01 8']],
    ['with a trailing delimiter', 'symbol,date,price\nA,2000-01-01,7,\n', {}, ['A 2000-01-01 7']],
  ])('are found %s', async (_, content, options, expected) => {
    expect(await read(content, options)).toEqual(expected);
  });

  test.each<[string, ReadOptions, string]>([
    ['a,b\nx,y\n', {}, 'bad.csv: no column has a date; choose one by --date: "a", "b"'],
    ['date,a\n2000-01-01,x\n', {}, 'bad.csv: no column has a price; choose one by --price: "date", "a"'],
    ['A,2000-01-01,7,8\n', {}, 'bad.csv: more than one column has a price; choose one by --price: "3", "4"'],
    [
      'A,B,2000-01-01,7\n',
      {},
      'bad.csv: more than one column has a symbol; choose one by --symbol: "1", "2"',
    ],
    [
      'date,price\n2000-01-01,1\n',
      { symbol: 'firm' },
      'bad.csv: has no column "firm" for --symbol, only "date", "price"',
    ],
    ['date,price\n2000-01-01,1\n', { price: '3' }, 'bad.csv: has no column "3" for --price'],
  ])('%j with %j are not found', async (content, options, message) => {
    expect(await refusal(content, options)).toContain(message);
  });
});

describe('dates and prices', () => {
  const table = (rows: [string, string][]) => `date;price\n${rows.map((row) => row.join(';')).join('\n')}\n`;

  test.each<[string, [string, string][], string | undefined, string[]]>([
    [
      'German',
      [
        ['31.12.2024', '1.234,56'],
        ['1.2.25', '7 €'],
      ],
      undefined,
      ['2024-12-31 1234.56', '2025-02-01 7'],
    ],
    [
      'American',
      [
        ['1/2/2024', '1,234.5'],
        ['12/31/2024', '$7'],
      ],
      undefined,
      ['2024-01-02 1234.5', '2024-12-31 7'],
    ],
    [
      'British',
      [
        ['1/2/2024', '1'],
        ['31/12/2024', '2'],
      ],
      undefined,
      ['2024-02-01 1', '2024-12-31 2'],
    ],
    ['French', [['31/12/2024', '1\u202f234,5']], undefined, ['2024-12-31 1234.5']],
    ['Swiss', [['31.12.2024', '1’234.5']], undefined, ['2024-12-31 1234.5']],
    ['with a zone', [['2024-12-31 16:00:00-05:00', '1']], undefined, ['2024-12-31T21:00:00.000Z 1']],
    ['forced: German', [['1/2/2024', '1,234']], 'de', ['2024-02-01 1.234']],
    ['forced: American', [['1/2/2024', '1,234']], 'en', ['2024-01-02 1234']],
    ['forced: British', [['1/2/2024', '1,234']], 'en-GB', ['2024-02-01 1234']],
  ])('%s', async (_, rows, locale, expected) => {
    const options = locale === undefined ? {} : { locale: readLocale(locale) };
    expect(await read(table(rows), options)).toEqual(expected.map((quote) => `SAP ${quote}`));
  });

  test.each<[[string, string][], string]>([
    [
      [
        ['1/1/2024', '5'],
        ['1/2/2024', '1'],
      ],
      'column "date": "1/2/2024" has two readings; --locale en',
    ],
    [
      [
        ['2024-01-01', '5'],
        ['2024-01-02', '1,234'],
      ],
      'column "price": "1,234" has two readings; --locale en',
    ],
    [[['2024-01-01', '1.234']], 'column "price": "1.234" has two readings'],
    [
      [
        ['31/12/2024', '5'],
        ['12/31/2024', '1'],
      ],
      'line 3, column "date": "12/31/2024" is not a date such as 2000-01-31 or 31.1.2000',
    ],
    [
      [
        ['12/30/2024', '5'],
        ['12/31/2024', '6'],
        ['31/12/2024', '1'],
      ],
      'line 4, column "date": "31/12/2024" is not a date such as 2000-01-31 or 1/31/2000',
    ],
    [
      [
        ['2024-01-01', '1,5'],
        ['2024-01-02', '1,5'],
        ['2024-01-03', '2.5'],
      ],
      'line 4, column "price": "2.5" is not a price such as 39,81',
    ],
    [
      [
        ['2024-01-01', '5'],
        ['2024-01-02', '-5'],
      ],
      'line 3, column "price": "-5" is not a price such as 39.81',
    ],
  ])('refuses %j', async (rows, message) => {
    expect(await refusal(table(rows))).toContain(message);
  });
});

test('rows with missing values are left out, and reported', async () => {
  const values = ['', 'n/a', 'NULL', '-', '#N/A', 'NaN', '.'];
  const rows = values.map((value, day) => `A,2000-01-0${day + 1},${value}`);
  const file = await csv(
    'gaps.csv',
    `symbol,date,price\n${rows.join('\n')}\n,2000-01-08,1\nA,2000-01-09,2\n`,
  );
  expect(await readPrices([file])).toEqual({
    quotes: new Map([['A', [{ date: '2000-01-09', price: '2' }]]]),
    skipped: [
      { file, column: 'price', lines: [2, 3, 4, 5, 6, 7, 8] },
      { file, column: 'symbol', lines: [9] },
    ],
  });
});

test('merges the quotes of a symbol from all files', async () => {
  const first = await csv('first.csv', 'symbol,date,price\nA,2000-01-01,1\n');
  const second = await csv('second.csv', 'price;date;symbol\n2,5;2.1.2000;A\n');
  expect((await readPrices([first, second])).quotes.get('A')).toEqual([
    { date: '2000-01-01', price: '1' },
    { date: '2000-01-02', price: '2.5' },
  ]);
});

describe('errors', () => {
  const header = 'symbol,date,price\n';
  test.each([
    ['nothing', '', 'bad.csv: is empty'],
    ['only a header', header, 'bad.csv: has a header and no prices'],
    ['only missing values', `${header}A,2000-01-01,n/a\n`, 'bad.csv: every row has a missing value'],
    ['a cell missing', `${header}A,2000-01-01\n`, 'bad.csv line 2: has 2 cells, the first row 3'],
    ['a cell too many', `${header}A,2000-01-01,1,2\n`, 'bad.csv line 2: has 4 cells, the first row 3'],
    [
      'a broken date',
      `${header}A,2000-01-01,1\nA,soon,1\n`,
      'bad.csv line 3, column "date": "soon" is not a date',
    ],
    [
      'a broken price',
      `${header}\nA,2000-01-01,x\n`,
      'bad.csv line 3, column "price": "x" is not a price such as 39.81',
    ],
    [
      'a symbol that moves the cursor',
      `${header}\u001b[2J,2000-01-01,1\n`,
      'bad.csv line 2, column "symbol": a symbol has 1 to 40',
    ],
    [
      'an open quote',
      `${header}"A,2000-01-01,1\n`,
      'bad.csv line 2: a quote is opened here and never closed',
    ],
    [
      'a price twice',
      `${header}A,2000-01-01,1\nA,Jan 1 2000,2\n`,
      'bad.csv line 3: A has a price for 2000-01-01 already, in bad.csv line 2',
    ],
    [
      'companies in an unknown column',
      'firm,date,price\nA,2000-01-01,1\nB,2000-01-01,2\n',
      'already, in bad.csv line 2; --symbol chooses',
    ],
    ['no text', new Uint8Array([0xc3, 0x28]), 'bad.csv: is not UTF-8 or UTF-16 text'],
  ])('%s is a one-line error', async (_, content, message) => {
    expect(await refusal(content)).toContain(message);
  });

  test('names a file that is missing or a folder', async () => {
    await expect(readPrices([join(folder, 'missing.csv')])).rejects.toThrow(
      'missing.csv: there is no such file',
    );
    await expect(readPrices([folder])).rejects.toThrow(`${folder}: is a folder, not a file`);
  });

  test.each(['xx', 'klingon', '', 'de_DE'])('%j is not a locale', (tag) => {
    expect(() => readLocale(tag)).toThrow('--locale takes a language such as de or en-GB, not');
  });
});
