import { readFile } from 'node:fs/promises';
import Papa from 'papaparse';
import { InputError } from './InputError.ts';

/** A row of a CSV file, and the number of the line at which it begins. */
export interface Row {
  line: number;
  cells: string[];
}

const delimiters = [',', ';', '\t', '|'];
/** Excel's way to name the delimiter, as the first line. */
const delimiterLine = /^sep=(.)(?:\n|$)/i;

/**
 * Reads the rows of a CSV file: UTF-8 or UTF-16 text, with commas, semicolons, tabs or bars between the cells.
 *
 * @throws InputError that names the file, the line and the problem.
 */
export async function readTable(file: string): Promise<Row[]> {
  return parseTable(file, await readText(file));
}

/** The rows of a CSV text. Cells are trimmed, and rows without content are left out. */
export function parseTable(file: string, csv: string): Row[] {
  const text = csv.replace(/\r\n?/g, '\n');
  const [named = '', delimiter = ''] = delimiterLine.exec(text) ?? [];
  const rows: Row[] = [];
  let line = named === '' ? 1 : 2;
  let end = 0;
  const body = text.slice(named.length);
  Papa.parse<string[]>(body, {
    delimiter,
    delimitersToGuess: delimiters,
    newline: '\n',
    skipEmptyLines: 'greedy',
    step({ data, errors, meta }) {
      const source = body.slice(end, meta.cursor);
      end = meta.cursor;
      const first = line + emptyLines(source, meta.delimiter);
      const problem = errors.find(({ type }) => type === 'Quotes');
      if (problem) throw new InputError(`${file} line ${first}: ${problemOf(problem.code)}`);
      rows.push({ line: first, cells: data.map((cell) => cell.trim()) });
      line += countOf(source, '\n');
    },
  });
  return rows;
}

const reasons: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'is a folder, not a file',
  EACCES: 'may not be read',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'is not UTF-8 or UTF-16 text; save it as "CSV UTF-8"',
};

/** The text of a file, without its byte order mark. */
async function readText(file: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    const [first, second] = bytes;
    const utf16 =
      first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff && 'utf-16be';
    return new TextDecoder(utf16 || 'utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new InputError(`${file}: ${reasons[code] ?? message}`);
  }
}

/** The number of lines without content before a row. Papa leaves them out without a word. */
function emptyLines(source: string, delimiter: string): number {
  const lines = source.split('\n');
  const first = lines.findIndex((text) => text.replaceAll(delimiter, '').replaceAll('"', '').trim() !== '');
  return Math.max(0, first);
}

function problemOf(code: string): string {
  return code === 'MissingQuotes'
    ? 'a quote is opened here and never closed'
    : 'a cell in quotes has text after them; quotes in a cell are written twice';
}

function countOf(text: string, character: string): number {
  return text.split(character).length - 1;
}
