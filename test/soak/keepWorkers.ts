import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface KeptWorkers {
  /** The number of kills. */
  readonly kills: number;
  /** Rejects if a worker exits by itself. */
  readonly failed: Promise<never>;
  /** Stops killing, and ends the workers. */
  stop(): Promise<void>;
}

const chainWorker = fileURLToPath(new URL('worker.ts', import.meta.url));

export interface KeepOptions {
  /** The average time between two kills. */
  killSeconds: number;
  /** The average number of messages between two kills, if they come before the time. Default: the time alone counts. */
  killMessages?: number;
  /** The module of a worker. It sends `started` when it is ready, and then the number of messages after each batch. */
  script?: string;
}

/**
 * Keeps two workers running and kills one now and then with SIGKILL. Counting messages makes as many kills on a slow machine
 * as on a fast one.
 */
export async function keepWorkers(
  env: Readonly<Record<string, string>>,
  random: () => number,
  { killSeconds, killMessages = Number.POSITIVE_INFINITY, script = chainWorker }: KeepOptions,
): Promise<KeptWorkers> {
  const stopping = new AbortController();
  const workers: ChildProcess[] = [];
  let kills = 0;
  let messages = 0;
  let onMessages = () => {};
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});

  const start = async (index: number) => {
    const child = fork(script, [String(Math.floor(random() * 2 ** 32))], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    workers[index] = child;
    child.on('message', (count) => {
      messages += Number(count) || 0;
      onMessages();
    });
    let complaint = '';
    child.stderr?.on('data', (text) => {
      complaint = `${complaint}${text}`.slice(-2000);
    });
    child.once('exit', (code, signal) => {
      if (signal !== 'SIGKILL') fail(new Error(`A worker ended by itself with ${code}: ${complaint}`));
    });
    await Promise.race([once(child, 'message'), failed]);
  };

  const kill = async (index: number) => {
    const child = workers[index];
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };

  /** Waits for the time or the number of messages, and then for a moment, since batches end with their messages. */
  const untilKill = async () => {
    const { signal } = stopping;
    const due = messages + killMessages * (0.5 + random());
    const enough = new AbortController();
    onMessages = () => messages >= due && enough.abort();
    try {
      await sleep(killSeconds * (500 + random() * 1000), undefined, {
        signal: AbortSignal.any([signal, enough.signal]),
      });
    } catch {
      signal.throwIfAborted();
      await sleep(random() * 200, undefined, { signal });
    }
  };

  const killNowAndThen = async () => {
    for (;;) {
      try {
        await untilKill();
      } catch {
        return;
      }
      const index = Math.floor(random() * workers.length);
      await kill(index);
      kills += 1;
      await start(index);
    }
  };

  let killing: Promise<void> = Promise.resolve();
  const stop = async () => {
    stopping.abort();
    await killing;
    await Promise.all(workers.map((_, index) => kill(index)));
  };
  try {
    await Promise.all([start(0), start(1)]);
  } catch (error) {
    await stop();
    throw error;
  }
  killing = killNowAndThen().catch(fail);
  return {
    get kills() {
      return kills;
    },
    failed,
    stop,
  };
}
