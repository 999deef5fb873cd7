import { readFile } from 'node:fs/promises';
import { InputError } from './InputError.ts';
import { CsvError, type CsvRow, parseCsv } from './parseCsv.ts';
import { parseDate } from './parseDate.ts';
import { parsePrice } from './parsePrice.ts';

/** A price and its date as they are in the file, checked but not parsed. */
export interface Quote {
  date: string;
  price: string;
}

const columnNames = ['symbol', 'date', 'price'] as const;
const symbolPattern = /^[^\p{Cc}]{1,40}$/u;
const reasons: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'is a folder, not a file',
  EACCES: 'may not be read',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'is not UTF-8 text',
};

/**
 * Reads CSV files with the columns symbol, date and price, in any order. Other columns are ignored.
 *
 * @returns the quotes of each symbol, in the order of the files.
 * @throws InputError that names the file, the line and the problem.
 */
export async function readPrices(files: string[]): Promise<Map<string, Quote[]>> {
  const quotes = new Map<string, Quote[]>();
  const lineOf = new Map<string, string>();
  for (const file of files) {
    const [header, ...rows] = parseRows(file, await readText(file));
    if (!header) throw new InputError(`${file}: is empty`);
    const columns = findColumns(file, header);
    if (rows.length === 0) throw new InputError(`${file}: has a header and no prices`);
    for (const row of rows) {
      const line = `${file} line ${row.line}`;
      if (row.cells.length !== header.cells.length)
        throw new InputError(`${line}: has ${row.cells.length} cells, the header ${header.cells.length}`);
      const [symbol = '', date = '', price = ''] = columns.map((column) => row.cells[column]?.trim());
      const key = `${symbol} ${checkQuote(line, symbol, date, price)}`;
      const earlier = lineOf.get(key);
      if (earlier) throw new InputError(`${line}: ${symbol} has a price for ${date} already, in ${earlier}`);
      lineOf.set(key, line);
      const existing = quotes.get(symbol);
      if (existing) existing.push({ date, price });
      else quotes.set(symbol, [{ date, price }]);
    }
  }
  return quotes;
}

async function readText(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new InputError(`${file}: ${reasons[code] ?? message}`);
  }
}

function parseRows(file: string, text: string): CsvRow[] {
  try {
    return parseCsv(text);
  } catch (error) {
    throw error instanceof CsvError ? new InputError(`${file} line ${error.line}: ${error.message}`) : error;
  }
}

function findColumns(file: string, header: CsvRow): number[] {
  const names = header.cells.map((cell) => cell.trim().toLowerCase());
  return columnNames.map((column) => {
    const index = names.indexOf(column);
    if (index >= 0) return index;
    const found = quoted(header.cells.join(','));
    throw new InputError(`${file} line ${header.line}: no column "${column}" in the header ${found}`);
  });
}

/** @returns the time of the quote, in milliseconds. */
function checkQuote(line: string, symbol: string, date: string, price: string): number {
  if (!symbolPattern.test(symbol))
    throw new InputError(`${line}: a symbol has 1 to 40 characters, not ${quoted(symbol)}`);
  const moment = parseDate(date);
  if (!moment)
    throw new InputError(`${line}: ${quoted(date)} is not a date such as 2000-01-31 or Jan 31 2000`);
  if (!parsePrice(price)) throw new InputError(`${line}: ${quoted(price)} is not a price such as 39.81`);
  return moment.getTime();
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
