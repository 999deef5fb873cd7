import { openBrowser } from './openBrowser.ts';
import { runDemo } from './runDemo.ts';

const interruption = new AbortController();
// Once: a second Ctrl-C ends the process at once.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());

process.exitCode = await runDemo(process.argv.slice(2), {
  out: process.stdout,
  err: process.stderr,
  signal: interruption.signal,
  // With nobody to look at a page, the demo ends by itself.
  ...(process.stdout.isTTY && !process.env['CI'] && { openBrowser }),
});
