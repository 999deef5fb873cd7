import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { runDemo } from '../../../examples/market/runDemo.ts';

const STOCKS = new URL('../../../examples/market/data/stocks.csv', import.meta.url);

let folder: string;
let page: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'market-'));
  page = join(folder, 'report.html');
});
afterAll(() => rm(folder, { recursive: true }));

// A demo left running by a failed test would keep jest from exiting.
const interruption = { current: new AbortController() };
beforeEach(() => {
  interruption.current = new AbortController();
});
afterEach(() => interruption.current.abort());

interface Captured {
  code: number;
  out: string;
  err: string;
}

async function demo(
  args: string[],
  onWrite?: (text: string, interrupt: () => void) => void,
  openBrowser?: (url: string) => void,
): Promise<Captured> {
  const captured: Captured = { code: -1, out: '', err: '' };
  const { current } = interruption;
  const out = {
    write(text: string) {
      captured.out += text;
      onWrite?.(text, () => current.abort());
    },
  };
  const err = {
    write(text: string) {
      captured.err += text;
    },
  };
  captured.code = await runDemo(args, {
    out,
    err,
    signal: current.signal,
    ...(openBrowser && { openBrowser }),
  });
  return captured;
}

const lastLine = (text: string): string | undefined => text.trimEnd().split('\n').at(-1);

/** The sum of the prices in cents for each symbol, computed from the text of the file. */
async function sumsInCents(): Promise<Map<string, bigint>> {
  const sums = new Map<string, bigint>();
  const [, ...lines] = (await readFile(STOCKS, 'utf8')).trimEnd().split('\n');
  for (const line of lines) {
    const [symbol = '', , price = ''] = line.trim().split(',');
    const [whole = '', cents = ''] = price.split('.');
    if (cents.length > 2) throw new Error(`${line}: more than two decimals`);
    sums.set(symbol, (sums.get(symbol) ?? 0n) + BigInt(whole + cents.padEnd(2, '0')));
  }
  return sums;
}

/** Formats cents like the table and the page. */
function inUnits(cents: bigint): string {
  return `${(cents / 100n).toLocaleString('en-US')}.${`${cents % 100n}`.padStart(2, '0')}`;
}

/** Edits the dead letter of the task load as the page does, and sends it again. */
async function redriveRepaired(page: string): Promise<unknown> {
  const { origin, searchParams } = new URL(page);
  const headers = {
    authorization: `Bearer ${searchParams.get('token')}`,
    'content-type': 'application/json',
  };
  const read = await fetch(`${origin}/api/dead-letters`, { headers });
  const [letter] = ((await read.json()) as { letters: { id: string; text: string }[] }).letters;
  const body = { taskName: 'load', ids: [letter?.id], text: letter?.text.replace('oops', '25.94') };
  const sent = await fetch(`${origin}/api/redrive`, { method: 'POST', headers, body: JSON.stringify(body) });
  return sent.json();
}

describe('the demo', () => {
  test('completes every chain, with exact sums', async () => {
    const { code, out, err } = await demo(['--out', page, '--repeat', '2']);
    const sums = await sumsInCents();
    const total = [...sums.values()].reduce((sum, cents) => sum + cents, 0n);

    expect(err).toBe('');
    expect(lastLine(out)).toBe('24 of 24 tasks finished; none was lost.');
    expect(out).toContain(`560 prices add up to ${inUnits(total)}, exact to the last digit.`);
    expect(out).toContain('2 split, 10 load, 10 analyse, 2 portfolio');
    expect(out).toContain('5 of 5 companies, +260.8 % on average; best AAPL, worst MSFT\n');
    expect(out).toContain('MSFT     39.81  2000-01-01   28.80  2010-03-01   −27.7 %    43.22  2000-03-01');
    expect(code).toBe(0);

    const html = await readFile(page, 'utf8');
    const rows = [...html.matchAll(/<\/i>([A-Z]+)<\/th>.*<td>([\d,.]+)<\/td><\/tr>/g)];
    expect(new Map(rows.map(([, symbol, sum]) => [symbol, sum]))).toEqual(
      new Map([...sums].map(([symbol, cents]) => [symbol, inUnits(cents)])),
    );
  });

  test('with --poison dead-letters one company and completes the others', async () => {
    const { code, out } = await demo(['--poison', '--out', page]);
    expect(lastLine(out)).toBe(
      '10 of 12 tasks finished; 1 message is in a dead-letter queue, as --poison asked for; none was lost.',
    );
    expect(out).toContain('the data of AAPL is broken on purpose');
    expect(out).toContain('load 4 of 5 (1 given up), analyse 4 of 5, portfolio 1 of 1\n');
    expect(out).toMatch(/retries {7}2\n/);
    expect(out).toMatch(/dead letters {2}1\n +load: AAPL cost oops on 2000-01-01/);
    expect(code).toBe(0);
    const html = await readFile(page, 'utf8');
    expect(html).toContain('</i>GOOG</th>');
    expect(html).not.toContain('</i>AAPL</th>');
    expect(html).toContain('<li>AAPL cost oops on 2000-01-01: that is not a price on a day</li>');
  });

  test('with a page waits for a redrive of the dead letter, which closes the group', async () => {
    let page = '';
    let redrive: Promise<unknown> | undefined;
    const { code, out } = await demo(
      ['--poison', '--out', join(folder, 'page.html')],
      (text, interrupt) => {
        if (text.includes('Ctrl-C ends the demo.')) redrive ??= redriveRepaired(page);
        if (text.includes('12 of 12 tasks finished; none was lost.')) interrupt();
      },
      (url) => {
        page = url;
      },
    );
    expect(await redrive).toMatchObject({ sent: 1, messages: [{ outcome: 'sent' }] });
    expect(out).toContain(`${page}\n`);
    expect(out).toContain(
      '9 of 12 tasks finished; 1 message is in a dead-letter queue, as --poison asked for',
    );
    expect(out).toContain('edit "oops" to "25.94", and redrive.');
    expect(out).toContain('5 of 5 companies, +260.8 % on average; best AAPL, worst MSFT\n');
    expect(code).toBe(0);
  });

  test('--no-open serves the page, and opens no browser', async () => {
    const opened: string[] = [];
    const { code, out } = await demo(
      ['--no-open', '--out', page],
      (text, interrupt) => text.includes('Ctrl-C ends') && interrupt(),
      (url) => opened.push(url),
    );
    expect(opened).toEqual([]);
    expect(out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=/m);
    expect(code).toBe(0);
  });

  test('stops on an interrupt, and reports the rest', async () => {
    const { code, out } = await demo(['--repeat', '200', '--out', page], (text, interrupt) => {
      if (/load \d+ of 1000/.test(text)) interrupt();
    });
    const [, done = ''] =
      /^Stopped: ([\d,]+) of [\d,]+ tasks finished, \d+ portfolios had not come to their end\.$/.exec(
        lastLine(out) ?? '',
      ) ?? [];
    expect(done).not.toBe('');
    expect(Number(done.replace(',', ''))).toBeLessThan(2400);
    expect(code).toBe(130);
  });

  test('reads a file with its own columns, delimiter and locale', async () => {
    const file = join(folder, 'custom.csv');
    const rows = ['1,005;A/B ü;"x; y";31.1.2024', '2;A/B ü;;29.2.2024', 'n/a;A/B ü;;1.3.2024'];
    await writeFile(file, `\uFEFFPREIS;Firma;Notiz;Tag\r\n${rows.join('\r\n')}\r\n`);
    const names = ['--price', 'Preis', '--symbol', 'Firma', '--date', 'Tag', '--locale', 'de'];
    const { code, out } = await demo([file, ...names, '--out', page]);
    expect(out).toContain(`${file}: 1 row left out, without a value in "PREIS": line 4\n`);
    expect(lastLine(out)).toBe('4 of 4 tasks finished; none was lost.');
    expect(out).toContain('2 prices add up to 3.005, exact to the last digit.');
    expect(code).toBe(0);
  });

  test.each([
    [['missing.csv'], 'missing.csv: there is no such file'],
    [['--nonsense'], "Unknown option '--nonsense'; --help shows what there is"],
    [['--out', 'no/such/folder/x.html'], 'no/such/folder/x.html: cannot be written (ENOENT)'],
  ])('%j is a one-line error with exit code 1', async (args, line) => {
    expect(await demo(args)).toEqual({ code: 1, out: '', err: `${line}\n` });
  });

  test('--help shows the options', async () => {
    const { code, out } = await demo(['--help']);
    expect(code).toBe(0);
    for (const option of [
      'FILE…',
      '--repeat N',
      '--poison',
      '--out FILE',
      '--verbose',
      '--symbol NAME',
      '--locale TAG',
    ])
      expect(out).toContain(option);
  });
});
