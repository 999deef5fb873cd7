import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readPrices } from '../../../examples/market/readPrices.ts';

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

describe('readPrices', () => {
  test('finds the three columns in any order and case, among others', async () => {
    const file = await csv(
      'order.csv',
      'Volume, PRICE ,Date,"symbol"\n1,39.80,"Jan 1, 2000",MSFT\n2,7,2000-01-02,IBM\n',
    );
    expect(await readPrices([file])).toEqual(
      new Map([
        ['MSFT', [{ date: 'Jan 1, 2000', price: '39.80' }]],
        ['IBM', [{ date: '2000-01-02', price: '7' }]],
      ]),
    );
  });

  test('merges the quotes of a symbol from all files', async () => {
    const first = await csv('first.csv', 'symbol,date,price\nA,2000-01-01,1\n');
    const second = await csv('second.csv', 'symbol,date,price\nA,2000-01-02,2\n');
    expect((await readPrices([first, second])).get('A')).toHaveLength(2);
  });

  const header = 'symbol,date,price\n';
  test.each([
    ['nothing', '', ': is empty'],
    ['only a header', header, ': has a header and no prices'],
    [
      'a column missing',
      'symbol;date;price\n',
      ' line 1: no column "symbol" in the header "symbol;date;price"',
    ],
    ['a cell missing', `${header}A,2000-01-01\n`, ' line 2: has 2 cells, the header 3'],
    ['a broken date', `${header}A,2000-01-01,1\nA,1/2/2000,1\n`, ' line 3: "1/2/2000" is not a date such as'],
    ['a broken price', `${header}\nA,2000-01-01,n/a\n`, ' line 3: "n/a" is not a price such as 39.81'],
    ['no symbol', `${header},2000-01-01,1\n`, ' line 2: a symbol has 1 to 40 characters, not ""'],
    ['a symbol that moves the cursor', `${header}\u001b[2J,2000-01-01,1\n`, ' line 2: a symbol has 1 to 40'],
    ['an open quote', `${header}"A,2000-01-01,1\n`, ' line 2: a quote is opened here and never closed'],
    [
      'a price twice',
      `${header}A,2000-01-01,1\nA,Jan 1 2000,2\n`,
      ' line 3: A has a price for Jan 1 2000 already',
    ],
    ['no text', new Uint8Array([0xff, 0xfe, 0x00]), ': is not UTF-8 text'],
  ])('%s is a one-line error', async (name, content, message) => {
    const file = await csv(`${name}.csv`, content);
    const error: unknown = await readPrices([file]).catch((reason: unknown) => reason);
    expect(error).toHaveProperty('name', 'InputError');
    expect(String(error)).toContain(`${file}${message}`);
    expect(String(error)).not.toContain('\n');
  });

  test('names a file that is missing or a folder', async () => {
    await expect(readPrices([join(folder, 'missing.csv')])).rejects.toThrow(
      'missing.csv: there is no such file',
    );
    await expect(readPrices([folder])).rejects.toThrow(`${folder}: is a folder, not a file`);
  });
});
