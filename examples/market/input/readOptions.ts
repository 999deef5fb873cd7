import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { ColumnOptions } from './findColumns.ts';
import { InputError } from './InputError.ts';
import { type Locale, readLocale } from './readLocale.ts';

/** The options of the demo. */
export interface DemoOptions extends ColumnOptions {
  files: string[];
  locale: Locale | undefined;
  repeat: number;
  poison: boolean;
  out: string;
  /** Whether the browser opens. */
  open: boolean;
  verbose: boolean;
  help: boolean;
}

export const help = `npm run demo -- [FILE…] [options]

Sends the companies in the files through load → analyse side by side, and joins them in one
portfolio, through SNS, SQS and S3 on this machine. Draws what comes out of it.

In a terminal a page shows each task as it runs, until Ctrl-C: its attempts, its arguments, its
errors, and the dead letters, which can be edited and sent again. The portfolio waits for them.
Elsewhere the demo ends by itself, and the portfolio collects the errors.

  FILE…          CSV files with a symbol, a date and a price column
                 (default: the monthly prices of five companies, 2000 to 2010)
  --symbol NAME  the column with the symbols, by its name or number
                 (default: symbol, ticker …; without such a column the name of the file)
  --date NAME    the column with the dates (default: date, datum …)
  --price NAME   the column with the prices (default: price, close, kurs …)
  --locale TAG   how dates and prices are written, such as en, en-GB or de
                 (default: found from all values of a column)
  --repeat N     send everything N times, to see it under load
  --poison       break one company's data on purpose: its task is tried again and lands in
                 the dead-letter queue, and all the others finish
  --no-open      do not open the browser
  --out FILE     where the page with the plot goes (default: report.html)
  --verbose      show what the tasks log
  --help         show this
`;

const defaultFile = fileURLToPath(new URL('../data/stocks.csv', import.meta.url));
const maxRepeat = 10_000;

/**
 * Reads the arguments of the command.
 *
 * @throws InputError that names the bad argument.
 */
export function readOptions(args: string[]): DemoOptions {
  const { values, positionals } = parse(args);
  const { repeat: times = '1', poison = false, out = 'report.html', verbose = false, help = false } = values;
  const repeat = /^\d{1,9}$/.test(times) ? Number(times) : 0;
  if (repeat < 1 || repeat > maxRepeat)
    throw new InputError(
      `--repeat takes a whole number from 1 to ${maxRepeat}, not ${JSON.stringify(times)}`,
    );
  if (out === '') throw new InputError('--out takes the name of a file');
  const files = positionals.length > 0 ? positionals : [defaultFile];
  const { symbol, date, price } = values;
  const locale = values.locale === undefined ? undefined : readLocale(values.locale);
  const open = values['no-open'] !== true;
  return { files, symbol, date, price, locale, repeat, poison, out, open, verbose, help };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        symbol: { type: 'string' },
        date: { type: 'string' },
        price: { type: 'string' },
        locale: { type: 'string' },
        repeat: { type: 'string' },
        poison: { type: 'boolean' },
        out: { type: 'string' },
        'no-open': { type: 'boolean' },
        verbose: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    const [problem] = (error as Error).message.split(/[.\n]/);
    throw new InputError(`${problem}; --help shows what there is`);
  }
}
