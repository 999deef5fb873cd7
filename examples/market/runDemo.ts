import { writeFile } from 'node:fs/promises';
import { InputError } from './input/InputError.ts';
import { help, readOptions } from './input/readOptions.ts';
import { type Quote, readPrices, type Skipped } from './input/readPrices.ts';
import { describeOutcome, isGood } from './output/describeOutcome.ts';
import { drawReport } from './output/drawReport.ts';
import { format } from './output/format.ts';
import { type Output, showProgress } from './output/showProgress.ts';
import { type Input, type Outcome, runMarket, watchMarket } from './runMarket.ts';
import { startMarket } from './startMarket.ts';

/** The environment of the command. */
export interface DemoWorld {
  out: Output;
  err: Output;
  /** Aborts the run. */
  signal: AbortSignal;
  /** Opens a URL in a browser. Missing if there is nobody to look at it: then the demo ends by itself. */
  openBrowser?(url: string): void;
}

const interruptedExitCode = 130;
const brokenPrice = 'oops';

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

async function run(args: string[], { out, signal, openBrowser }: DemoWorld): Promise<number> {
  const options = readOptions(args);
  if (options.help) {
    out.write(help);
    return 0;
  }
  const { quotes, skipped } = await readPrices(options.files, options);
  // Before the work starts, not after it.
  await writePage(options.out, '', 'a');
  const victim = options.poison ? [...quotes.keys()].at(-1) : undefined;
  const input: Input = {
    companies: companiesOf(quotes, victim),
    repeat: options.repeat,
    failures: openBrowser ? 'wait' : 'collect',
  };
  out.write(`${[...describeSkipped(skipped), describeStart(input, victim), ''].join('\n')}\n`);

  await using market = await startMarket({ verbose: options.verbose, page: openBrowser !== undefined });
  if (market.url) {
    out.write(`${market.url}\n\n`);
    if (options.open) openBrowser?.(market.url);
  }
  const progress = showProgress(out, options.verbose ? { live: false } : {});
  const context = { victim, stopped: false, page: options.out };
  const show = async (outcome: Outcome): Promise<void> => {
    await writePage(options.out, drawReport(outcome.reports, outcome.portfolio));
    context.stopped = signal.aborted;
    out.write(`${describeOutcome(outcome, context).join('\n')}\n`);
  };
  let outcome = await runMarket(market, input, { progress, signal });
  await show(outcome);
  if (context.stopped) return interruptedExitCode;
  if (market.url) {
    out.write(`\n${describePage(victim, quotes)}\n`);
    for await (outcome of watchMarket(market, outcome, signal)) await show(outcome);
  }
  return isGood(outcome, context) ? 0 : 1;
}

/** The companies and their quotes. The first price of the victim is not a price. */
function companiesOf(quotes: Map<string, Quote[]>, victim: string | undefined): Input['companies'] {
  return [...quotes].map(([symbol, good]) => {
    const broken = good.map((quote, index) => (index === 0 ? { ...quote, price: brokenPrice } : quote));
    return { symbol, quotes: symbol === victim ? broken : good };
  });
}

function describeStart({ companies, repeat }: Input, victim: string | undefined): string {
  const times = repeat === 1 ? '' : `, ${repeat} times`;
  const broken = victim === undefined ? '' : `; the data of ${victim} is broken on purpose`;
  return `load → analyse for ${format.count(companies.length, 'company', 'companies')} side by side, then one portfolio${times}${broken}`;
}

function describePage(victim: string | undefined, quotes: Map<string, Quote[]>): string {
  const [first] = quotes.get(victim ?? '') ?? [];
  const hint = first
    ? `The portfolio waits for ${victim}. Repair it on the page, under "Dead letters": edit "${brokenPrice}" to "${first.price}", and redrive.`
    : 'The page shows how each task ran. With --poison one of them fails, to be repaired there.';
  return `${hint}\nCtrl-C ends the demo.`;
}

const shownLines = 10;

function describeSkipped(skipped: Skipped[]): string[] {
  return skipped.map(({ file, column, lines }) => {
    const more = lines.length > shownLines ? ' …' : '';
    return `${file}: ${format.count(lines.length, 'row')} left out, without a value in ${JSON.stringify(column)}: line ${lines.slice(0, shownLines).join(', ')}${more}`;
  });
}

async function writePage(file: string, html: string, flag: 'w' | 'a' = 'w'): Promise<void> {
  try {
    await writeFile(file, html, { flag });
  } catch (error) {
    throw new InputError(`${file}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
}
