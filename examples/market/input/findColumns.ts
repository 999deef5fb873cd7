import { InputError } from './InputError.ts';
import { parseDate } from './parseDate.ts';
import { parsePrice } from './parsePrice.ts';
import type { Row } from './readTable.ts';

/** The columns as the user named them: by the name in the header, or by number, from 1. */
export interface ColumnOptions {
  symbol?: string | undefined;
  date?: string | undefined;
  price?: string | undefined;
}

/** Where the symbol, the date and the price are. */
export interface Columns {
  /** The index of each column. Without a symbol, all prices are of one company. */
  symbol: number | undefined;
  date: number;
  price: number;
  /** The names in the header; without one, the numbers of the columns. */
  names: string[];
  /** The rows after the header. */
  rows: Row[];
}

const names = {
  symbol: ['symbol', 'ticker', 'name', 'company', 'isin'],
  date: ['date', 'day', 'datum', 'time', 'timestamp', 'datetime'],
  price: ['price', 'close', 'adj close', 'closing price', 'kurs', 'schlusskurs', 'schluss', 'last', 'value'],
};
const missing = /^(?:|n\/?a|#n\/a|nan|null|none|[-–—.])$/i;
const sampleSize = 100;

/** Whether a cell marks a missing value. */
export function isMissing(cell: string): boolean {
  return missing.test(cell);
}

/**
 * Finds the columns by the options, else by the usual names in the header, else by their content. The first row is a header
 * unless it has a date.
 *
 * @throws InputError when a column is not found, or several fit
 */
export function findColumns(file: string, table: Row[], options: ColumnOptions): Columns {
  const [first, ...others] = table;
  if (!first) throw new InputError(`${file}: is empty`);
  const isHeader = !first.cells.some((cell) => parseDate(cell));
  const header = isHeader ? first.cells : first.cells.map((_, index) => `${index + 1}`);
  const rows = isHeader ? others : table;
  if (rows.length === 0) throw new InputError(`${file}: has a header and no prices`);

  const has = contentOf(rows);
  const among = header.map((_, index) => index);
  const find = (kind: keyof typeof names, fits: (index: number) => boolean): number | undefined => {
    const wanted = options[kind];
    if (wanted !== undefined) return named(file, header, kind, wanted);
    const lower = header.map((name) => name.toLowerCase());
    const usual = names[kind].map((name) => lower.indexOf(name)).find((index) => index >= 0);
    if (usual !== undefined) return usual;
    const fitting = among.filter(fits);
    if (fitting.length > 1)
      throw new InputError(
        `${file}: more than one column has a ${kind}; choose one by --${kind}: ${listed(fitting.map((index) => header[index] ?? ''))}`,
      );
    return fitting[0];
  };
  const needed = (kind: 'date' | 'price', index: number | undefined): number => {
    if (index !== undefined) return index;
    throw new InputError(`${file}: no column has a ${kind}; choose one by --${kind}: ${listed(header)}`);
  };
  const date = needed('date', find('date', has.date));
  const price = needed(
    'price',
    find('price', (index) => index !== date && has.price(index)),
  );
  // In a header, an unknown name may be that of anything.
  const symbol = find('symbol', (index) => !isHeader && index !== date && index !== price && has.text(index));
  return { symbol, date, price, names: header, rows };
}

function named(file: string, header: string[], kind: string, wanted: string): number {
  const byName = header.findIndex((name) => name.toLowerCase() === wanted.trim().toLowerCase());
  if (byName >= 0) return byName;
  const number = Number(wanted);
  if (Number.isInteger(number) && number >= 1 && number <= header.length) return number - 1;
  throw new InputError(
    `${file}: has no column ${JSON.stringify(wanted)} for --${kind}, only ${listed(header)}`,
  );
}

/** The kinds of values in the columns, judged by the first rows. */
function contentOf(rows: Row[]) {
  const sample = rows.slice(0, sampleSize);
  const all = (index: number, fits: (cell: string) => boolean): boolean => {
    const cells = sample.map(({ cells }) => cells[index] ?? '').filter((cell) => !isMissing(cell));
    return cells.length > 0 && cells.every(fits);
  };
  const isDate = (cell: string) => (parseDate(cell) ?? parseDate(cell, 'month-day')) !== undefined;
  const isPrice = (cell: string) => (parsePrice(cell) ?? parsePrice(cell, ',')) !== undefined;
  return {
    date: (index: number) => all(index, isDate),
    price: (index: number) => all(index, isPrice),
    text: (index: number) => all(index, (cell) => !isDate(cell) && !isPrice(cell)),
  };
}

function listed(header: string[]): string {
  const shown = header.slice(0, 20).map((name) => JSON.stringify(name.slice(0, 40)));
  return header.length > shown.length ? `${shown.join(', ')} …` : shown.join(', ');
}
