import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { InputError } from './InputError.ts';

/** The options of the demo. */
export interface DemoOptions {
  files: string[];
  repeat: number;
  poison: boolean;
  out: string;
  verbose: boolean;
  help: boolean;
}

export const help = `npm run demo -- [FILE…] [options]

Runs a chain of three tasks for each company in the files, load → analyse → report,
through SNS, SQS and S3 on this machine, and draws what comes out of it.

  FILE…        CSV files with a symbol, a date and a price column, in any order
               (default: the monthly prices of five companies, 2000 to 2010)
  --repeat N   send everything N times, to see it under load
  --poison     break one company's data on purpose: its tasks land in the
               dead-letter queue, and all the others finish
  --out FILE   where the page with the plot goes (default: report.html)
  --verbose    show what the tasks log
  --help       show this
`;

const defaultFile = fileURLToPath(new URL('data/stocks.csv', import.meta.url));
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
  return { files, repeat, poison, out, verbose, help };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        repeat: { type: 'string' },
        poison: { type: 'boolean' },
        out: { type: 'string' },
        verbose: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    const [problem] = (error as Error).message.split(/[.\n]/);
    throw new InputError(`${problem}; --help shows what there is`);
  }
}
