/** One row of a CSV, and the line of the file it begins on, counted from 1. */
export interface CsvRow {
  line: number;
  cells: string[];
}

/** A CSV that ends inside a quoted cell, or has text next to one. */
export class CsvError extends Error {
  override readonly name = 'CsvError';
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const quotedCell = /"[^"]*(?:""[^"]*)*"/y;
const cellPattern = /("[^"]*(?:""[^"]*)*"|[^",\r\n]*)(,|\r\n|\n|\r|$)/y;

/**
 * Reads CSV as RFC 4180 has it: cells between commas, those with a comma, a quote or a line break inside in
 * quotes, a quote itself doubled. Rows end in any of the three line breaks; blank lines are left out.
 *
 * @throws CsvError when a quote is opened and never closed, or stands where none may.
 */
export function parseCsv(text: string): CsvRow[] {
  const rows: CsvRow[] = [];
  const cell = new RegExp(cellPattern);
  let line = 1;
  let row: CsvRow = { line, cells: [] };
  cell.lastIndex = text.startsWith('\uFEFF') ? 1 : 0;
  while (cell.lastIndex < text.length || row.cells.length > 0) {
    const at = cell.lastIndex;
    const match = cell.exec(text);
    if (!match) throw new CsvError(line, problemAt(text, at));
    const [, raw = '', end = ''] = match;
    row.cells.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    line += raw.match(/\r\n|\n|\r/g)?.length ?? 0;
    if (end === ',') continue;
    if (row.cells.length > 1 || row.cells[0]?.trim()) rows.push(row);
    line += 1;
    row = { line, cells: [] };
  }
  return rows;
}

function problemAt(text: string, at: number): string {
  quotedCell.lastIndex = at;
  return text[at] === '"' && !quotedCell.test(text)
    ? 'a quote is opened here and never closed'
    : 'a cell has a quote in it and is not in quotes itself';
}
