#!/usr/bin/env node
import { isMainThread, workerData } from 'node:worker_threads';

if (isMainThread) {
  const { main } = await import('./cli/main.ts');
  const code = await main(process.argv.slice(2));
  // The worker of a replay may hold connections open. The output must reach a pipe first.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
} else if (workerData?.kind === 'dev') {
  const { serveDevThread } = await import('./cli/dev/serveDevThread.ts');
  serveDevThread();
} else {
  const { serveThread } = await import('./cli/prove/workerThread.ts');
  serveThread();
}
