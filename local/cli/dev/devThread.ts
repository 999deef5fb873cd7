import { realpathSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { DevTask, EventEntry, LogEntry, MessageEntry } from '../../dev/protocol.ts';

/** The data of a thread that runs a worker for the dev server. */
export interface ThreadData {
  readonly kind: 'dev';
  /** The file of the worker, with `#name` for another export than `handler`. */
  readonly worker: string;
  /** The tasks of the option `--tasks`. */
  readonly tasks: readonly string[] | undefined;
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly visibilityTimeoutSeconds: number;
}

/** A message to the thread. */
export type ThreadRequest = 'start' | 'stop';

/** A message from the thread. */
export type ThreadMessage =
  | { readonly entry: EventEntry | MessageEntry | LogEntry }
  | { readonly files: readonly string[] }
  | { readonly loaded: true }
  | { readonly started: readonly DevTask[] }
  | { readonly stopped: true }
  | { readonly failed: string };

/** A thread with the code of a worker as it was when the thread started. */
export interface DevThread {
  /** Resolves when the worker is loaded. */
  readonly loaded: Promise<void>;
  /** The files of the worker, as far as they are known. */
  files(): readonly string[];
  /** Starts to work on the queues. Resolves to the tasks. */
  start(): Promise<readonly DevTask[]>;
  /**
   * Lets the running batches end, and ends the thread.
   *
   * @returns false if a batch was cut off
   */
  stop(): Promise<boolean>;
}

export interface DevThreadOptions {
  readonly data: ThreadData;
  readonly env: NodeJS.ProcessEnv;
  /** Whether the output of the worker goes to standard error. */
  readonly toStderr: boolean;
  onEntry(entry: EventEntry | MessageEntry | LogEntry): void;
  /** The thread has ended by itself: it threw outside of a task, or called `process.exit`. */
  onEnd(reason: string): void;
}

/** How long batches may go on when the code has changed, in milliseconds. */
const patienceMillis = 5000;

/** Starts a thread, which loads the worker. */
export function startDevThread({ data, env, toStderr, onEntry, onEnd }: DevThreadOptions): DevThread {
  // The script of the command line is that of its threads, too.
  const thread = new Worker(realpathSync(process.argv[1] as string), {
    env,
    workerData: data,
    stdout: toStderr,
  });
  if (toStderr) thread.stdout.pipe(process.stderr, { end: false });
  const files = new Set<string>();
  const loaded = Promise.withResolvers<void>();
  const started = Promise.withResolvers<readonly DevTask[]>();
  const stopped = Promise.withResolvers<boolean>();
  let isStopping = false;
  let hasStarted = false;

  const fail = (reason: string) => {
    loaded.reject(new Error(reason));
    started.reject(new Error(reason));
    if (hasStarted && !isStopping) onEnd(reason);
    isStopping = true;
    stopped.resolve(false);
  };
  for (const { promise } of [loaded, started]) promise.catch(() => {});
  thread.on('message', (message: ThreadMessage) => {
    if ('entry' in message) onEntry(message.entry);
    else if ('files' in message) for (const file of message.files) files.add(file);
    else if ('loaded' in message) loaded.resolve();
    else if ('started' in message) {
      hasStarted = true;
      started.resolve(message.started);
    } else if ('stopped' in message) stopped.resolve(true);
    else fail(message.failed);
  });
  thread.on('error', (error: unknown) => fail((error as Error | undefined)?.stack ?? String(error)));
  thread.on('exit', (code) => fail(`The worker ended itself, with the exit code ${code}.`));
  const ask = (request: ThreadRequest) => thread.postMessage(request);

  return {
    loaded: loaded.promise,
    files: () => [...files],
    start() {
      ask('start');
      return started.promise;
    },
    async stop() {
      const isRunning = hasStarted && !isStopping;
      isStopping = true;
      if (isRunning) {
        ask('stop');
        const timer = setTimeout(() => stopped.resolve(false), patienceMillis);
        await stopped.promise;
        clearTimeout(timer);
      }
      await thread.terminate();
      return hasStarted ? stopped.promise : true;
    },
  };
}
