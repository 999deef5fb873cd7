import { basename, extname } from 'node:path';
import { type ColumnOptions, type Columns, findColumns, isMissing } from './findColumns.ts';
import { InputError } from './InputError.ts';
import { findDayOrder, isAmbiguousDate, parseDate } from './parseDate.ts';
import { findDecimalMark, isAmbiguousPrice, parsePrice } from './parsePrice.ts';
import type { Locale } from './readLocale.ts';
import { readTable } from './readTable.ts';

/** A price and its date as text: `39.81` on `2000-01-31`, whatever the file has. */
export interface Quote {
  date: string;
  price: string;
}

/** Rows that were left out, since they have no value in a column. */
export interface Skipped {
  file: string;
  column: string;
  lines: number[];
}

export interface ReadOptions extends ColumnOptions {
  /** Default: found from all values of a column. */
  locale?: Locale | undefined;
}

export interface Prices {
  /** The quotes of each symbol, in the order of the files. */
  quotes: Map<string, Quote[]>;
  skipped: Skipped[];
}

type Reader<T> = (line: number, text: string) => T;

const symbolPattern = /^[^\p{Cc}]{1,40}$/u;

/**
 * Reads CSV files with a column for the date and one for the price, and usually one for the symbol. Without it, the name of
 * the file is the symbol. Rows with missing values are left out.
 *
 * @throws InputError that names the file, the line, the column and the problem.
 */
export async function readPrices(files: string[], options: ReadOptions = {}): Promise<Prices> {
  const quotes = new Map<string, Quote[]>();
  const skipped: Skipped[] = [];
  const lineOf = new Map<string, string>();
  for (const file of files) {
    const columns = findColumns(file, await readTable(file), options);
    const rows = withValues(file, columns, skipped);
    const column = (index: number) => ({
      file,
      name: columns.names[index] ?? '',
      texts: rows.map(({ cells }) => cells[index] ?? ''),
    });
    const readDate = dateReader(column(columns.date), options.locale);
    const readPrice = priceReader(column(columns.price), options.locale);
    for (const { line, cells } of rows) {
      const symbol = symbolOf(file, line, columns, cells);
      const date = readDate(line, cells[columns.date] ?? '');
      const price = readPrice(line, cells[columns.price] ?? '').toFixed();
      const key = `${symbol} ${date}`;
      const earlier = lineOf.get(key);
      if (earlier)
        throw new InputError(
          `${file} line ${line}: ${symbol} has a price for ${date} already, in ${earlier}${columns.symbol === undefined ? '; --symbol chooses a column with symbols' : ''}`,
        );
      lineOf.set(key, `${file} line ${line}`);
      const existing = quotes.get(symbol);
      if (existing) existing.push({ date, price });
      else quotes.set(symbol, [{ date, price }]);
    }
  }
  if (quotes.size === 0) throw new InputError(`${files.join(', ')}: every row has a missing value`);
  return { quotes, skipped };
}

/** The rows that have all values. The others are added to `skipped`. */
function withValues(
  file: string,
  { rows, symbol, date, price, names }: Columns,
  skipped: Skipped[],
): Columns['rows'] {
  const linesOf = new Map<number, number[]>();
  const whole = rows.filter(({ line, cells }) => {
    if (cells.length < names.length || cells.slice(names.length).some((cell) => cell !== ''))
      throw new InputError(`${file} line ${line}: has ${cells.length} cells, the first row ${names.length}`);
    const missing = [symbol, date, price].find(
      (index) => index !== undefined && isMissing(cells[index] ?? ''),
    );
    if (missing === undefined) return true;
    const lines = linesOf.get(missing) ?? [];
    linesOf.set(missing, lines);
    lines.push(line);
    return false;
  });
  for (const [index, lines] of linesOf) skipped.push({ file, column: names[index] ?? '', lines });
  return whole;
}

function symbolOf(file: string, line: number, { symbol, names }: Columns, cells: string[]): string {
  const text = symbol === undefined ? basename(file, extname(file)) : (cells[symbol] ?? '');
  if (symbolPattern.test(text)) return text;
  const where = symbol === undefined ? file : `${file} line ${line}, column ${quoted(names[symbol])}`;
  throw new InputError(`${where}: a symbol has 1 to 40 characters, not ${quoted(text)}`);
}

interface Column {
  file: string;
  name: string;
  texts: string[];
}

function dateReader({ file, name, texts }: Column, locale: Locale | undefined): Reader<string> {
  const order = locale?.order ?? findDayOrder(texts);
  if (!order)
    throw new InputError(
      `${file}, column ${quoted(name)}: ${quoted(texts.find(isAmbiguousDate))} has two readings; --locale en has the month first, --locale en-GB the day`,
    );
  return (line, text) => {
    const date = parseDate(text, order)?.toISOString();
    if (date) return date.replace('T00:00:00.000Z', '');
    const form = order === 'day-month' ? '31.1.2000' : '1/31/2000';
    throw new InputError(
      `${file} line ${line}, column ${quoted(name)}: ${quoted(text)} is not a date such as 2000-01-31 or ${form}`,
    );
  };
}

function priceReader({ file, name, texts }: Column, locale: Locale | undefined) {
  const mark = locale?.mark ?? findDecimalMark(texts);
  if (!mark)
    throw new InputError(
      `${file}, column ${quoted(name)}: ${quoted(texts.find(isAmbiguousPrice))} has two readings; --locale en has a decimal point, --locale de a comma`,
    );
  return (line: number, text: string) => {
    const price = parsePrice(text, mark);
    if (price) return price;
    throw new InputError(
      `${file} line ${line}, column ${quoted(name)}: ${quoted(text)} is not a price such as 39${mark}81`,
    );
  };
}

function quoted(text = ''): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
