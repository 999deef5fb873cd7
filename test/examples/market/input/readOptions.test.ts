import { existsSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { readOptions } from '../../../../examples/market/input/readOptions.ts';

test('without arguments reads the included file once', () => {
  const { files, ...rest } = readOptions([]);
  expect(files.map(existsSync)).toEqual([true]);
  expect(rest).toEqual({
    repeat: 1,
    poison: false,
    out: 'report.html',
    open: true,
    verbose: false,
    help: false,
  });
});

test('accepts files and options in any order', () => {
  expect(
    readOptions(['a.csv', '--repeat', '20', '--poison', '--out=x.html', '--no-open', 'b.csv', '--verbose']),
  ).toEqual({
    files: ['a.csv', 'b.csv'],
    repeat: 20,
    poison: true,
    out: 'x.html',
    open: false,
    verbose: true,
    help: false,
  });
});

test('accepts the names of the columns, and a locale', () => {
  const args = ['--symbol', 'Firma', '--date=Tag', '--price', 'Kurs', '--locale', 'de-AT'];
  expect(readOptions(args)).toMatchObject({
    symbol: 'Firma',
    date: 'Tag',
    price: 'Kurs',
    locale: { order: 'day-month', mark: ',' },
  });
});

test.each([
  [['--nonsense'], "Unknown option '--nonsense'"],
  [['--repeat'], "Option '--repeat <value>' argument missing"],
  [['--repeat', '0'], '--repeat takes a whole number from 1 to 10000, not "0"'],
  [['--repeat=1.5'], '--repeat takes a whole number'],
  [['--repeat=1e3'], '--repeat takes a whole number'],
  [['--repeat=99999'], '--repeat takes a whole number'],
  [['--poison=yes'], "Option '--poison' does not take an argument"],
  [['--locale', 'xx'], '--locale takes a language such as de or en-GB, not "xx"'],
  [['--out='], '--out takes the name of a file'],
])('refuses %j in one line', (args, message) => {
  const attempt = (): unknown => readOptions(args);
  expect(attempt).toThrow(message);
  expect(attempt).toThrow(expect.objectContaining({ name: 'InputError' }));
  expect(attempt).toThrow(/^[^\n]*$/);
});
