import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { LambdaHandler } from 'algernon-middy/local';

/** A Python worker, which answers one batch after the other, as a Lambda instance does. */
export interface PythonWorker extends AsyncDisposable {
  handler: LambdaHandler;
}

/**
 * Starts the Python worker in a child process, which gets its batches from a pipe.
 *
 * @throws Error when Python is not installed
 */
export async function startPython(env: Readonly<Record<string, string>>): Promise<PythonWorker> {
  const file = new URL('python/worker.py', import.meta.url).pathname;
  const child = spawn('python3', ['-B', file], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child, 'spawn').catch((cause) => {
    throw new Error('This example needs python3 on the PATH.', { cause });
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();
  return {
    handler(event) {
      last = last.then(async () => {
        child.stdin.write(`${JSON.stringify(event)}\n`);
        const { value, done } = await answers.next();
        if (done) throw new Error('The Python worker has ended.');
        return JSON.parse(value);
      });
      return last;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
