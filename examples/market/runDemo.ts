import { writeFile } from 'node:fs/promises';
import { describeOutcome, isGood } from './describeOutcome.ts';
import { drawReport } from './drawReport.ts';
import { InputError } from './InputError.ts';
import { help, readOptions } from './readOptions.ts';
import { type Quote, readPrices } from './readPrices.ts';
import { runChains } from './runChains.ts';
import { type Output, showProgress } from './showProgress.ts';
import type { LoadArguments } from './worker.ts';

/** The environment of the command. */
export interface DemoWorld {
  out: Output;
  err: Output;
  /** Aborts the run. */
  signal: AbortSignal;
}

const interruptedExitCode = 130;

/**
 * Runs the command and returns its exit code: 0 for success, 1 for a wrong argument, an unreadable file or a lost
 * chain, 130 for an interruption.
 */
export async function runDemo(args: string[], world: DemoWorld): Promise<number> {
  try {
    return await run(args, world);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    world.err.write(`${error.message}\n`);
    return 1;
  }
}

async function run(args: string[], { out, signal }: DemoWorld): Promise<number> {
  const options = readOptions(args);
  if (options.help) {
    out.write(help);
    return 0;
  }
  const quotes = await readPrices(options.files);
  // Before the work starts, not after it.
  await writePage(options.out, '', 'a');
  const victim = options.poison ? [...quotes.keys()].at(-1) : undefined;
  const inputs = createInputs(quotes, options.repeat, victim);
  const poisoned = new Set(inputs.filter(({ symbol }) => symbol === victim).map(({ chain }) => chain));

  out.write(describeStart(quotes.size, options.repeat, victim));
  const progress = showProgress(out, options.verbose ? { live: false } : {});
  const outcome = await runChains(inputs, { progress, signal, verbose: options.verbose });
  await writePage(options.out, drawReport(outcome.reports));

  const context = { poisoned, stopped: signal.aborted, page: options.out };
  out.write(`${describeOutcome(outcome, context).join('\n')}\n`);
  if (context.stopped) return interruptedExitCode;
  return isGood(outcome, context) ? 0 : 1;
}

/** A chain for each symbol, `repeat` times. The last price of the victim is not a price. */
function createInputs(
  quotes: Map<string, Quote[]>,
  repeat: number,
  victim: string | undefined,
): LoadArguments[] {
  const once = [...quotes].map(([symbol, good]) => {
    const broken = good.map((quote, i) => (i === good.length - 1 ? { ...quote, price: 'n/a' } : quote));
    return { symbol, quotes: symbol === victim ? broken : good };
  });
  return Array.from({ length: repeat }, (_, i) =>
    once.map((input) => ({ chain: repeat === 1 ? input.symbol : `${input.symbol} #${i + 1}`, ...input })),
  ).flat();
}

function describeStart(symbols: number, repeat: number, victim: string | undefined): string {
  const companies = symbols === 1 ? '1 company' : `${symbols} companies`;
  const times = repeat === 1 ? '' : `, ${repeat} times`;
  const broken = victim === undefined ? '' : `; the data of ${victim} is broken on purpose`;
  return `load → analyse → report for ${companies}${times}${broken}\n\n`;
}

async function writePage(file: string, html: string, flag: 'w' | 'a' = 'w'): Promise<void> {
  try {
    await writeFile(file, html, { flag });
  } catch (error) {
    throw new InputError(`${file}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
}
