/** One row of a CSV, and the line number at which it begins. */
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
 * Parses CSV by RFC 4180: cells with a comma, a quote or a line break are quoted, and quotes in them are doubled. Rows
 * end in CRLF, LF or CR. Blank lines are skipped.
 *
 * @throws CsvError when a quote is not closed, or is not allowed.
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
