import {
  checkOption,
  checkOptions,
  either,
  listOf,
  type OptionCheck,
  text,
  whole,
} from '../../core/checkOptions.ts';
import { schemaOf } from '../../core/tasks/routedTasks.ts';
import type { LocalAws } from '../startLocalAws.ts';
import type { Worker } from '../startWorker.ts';
import type { TaskQueue } from '../taskQueues.ts';
import { settingsOf } from '../workerSettings.ts';
import { type HandlerObserver, observeHandler } from './observeHandler.ts';
import { openDevRun } from './openDevRun.ts';
import type { DevTask } from './protocol.ts';

/** Options of `startDevServer`. */
export interface DevServerOptions {
  /** The value of `startLocalAws()`. `aws.stop()` stops the server too. */
  aws: LocalAws;
  /** The value of `startWorker()`, or a list of these. */
  worker: Worker | readonly Worker[];
  /** The name of the program, for the page. Default: none. */
  name?: string;
  /** The port to listen on. Default 0, a free one. */
  port?: number;
  /** A file that gets the run as JSON lines, for `algernon-middy open FILE`. Default: none. */
  file?: string;
}

/** A page that shows running workers. */
export interface DevServer extends AsyncDisposable {
  /** The URL of the page. Its token allows to send and redrive tasks. */
  readonly url: string;
  /** How many pages are open now. */
  readonly pages: number;
  /** Stops the server, and resolves when the file is written. The workers go on. */
  stop(): Promise<void>;
}

const owner = 'startDevServer';

const localAws: OptionCheck = {
  expected: 'the value of startLocalAws()',
  test: (value) => typeof (value as Partial<LocalAws> | null)?.onStop === 'function',
};

const started: OptionCheck = {
  expected: 'the value of startWorker()',
  test: (value) => typeof value === 'object' && value !== null && settingsOf(value as Worker) !== undefined,
};

/**
 * Serves a page that shows the chains of running workers as they happen: each task with its attempts, waits, arguments, logs
 * and errors; dead letters with redrive; a form that sends a task. It listens on 127.0.0.1 only.
 *
 * The handlers need no change. Batches that began before the call are not shown, so call it right after `startWorker`.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * await using aws = await startLocalAws();
 * const worker = await startWorker({ aws, handler, tasks: ['load', 'report'] });
 * const { url } = await startDevServer({ aws, worker });
 * console.info(`Open ${url}`);
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const {
    aws,
    worker,
    name,
    port = 0,
    file,
  } = checkOptions(owner, options, {
    aws: localAws,
    worker: either(started, listOf(started)),
    name: text('a text'),
    port: whole(0, 65_535),
    file: text('the path of a file'),
  });
  checkOption(owner, 'aws', aws, localAws);
  checkOption(owner, 'worker', worker, either(started, listOf(started)));
  const workers = [worker].flat() as readonly Worker[];
  const run = await openDevRun({ aws, name, port, file, onError: (error) => console.error(error.message) });
  run.setTasks(workers.flatMap(tasksOf));
  const restores = workers.map((each) => observeWorker(each, run.record));

  let stopped: Promise<void> | undefined;
  const stop = () => {
    for (const restore of restores) restore();
    unregister();
    stopped ??= run.stop();
    return stopped;
  };
  const unregister = aws.onStop(stop);
  return {
    url: run.url,
    get pages() {
      return run.pages;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The tasks of a worker, for the page. */
export function tasksOf({ topics, queues }: Worker): DevTask[] {
  return Object.entries(queues).map(([task, queue]) =>
    devTask({ task, topicArn: topics[task] ?? '', ...queue }),
  );
}

/** A task for the page, with the schema of its arguments. */
export function devTask({ task, topicArn, url, deadLetter }: TaskQueue): DevTask {
  const schema = schemaOf(task);
  return {
    name: task,
    topicArn,
    queueUrl: url,
    deadLetterUrl: deadLetter.url,
    ...(schema !== undefined && { schema }),
  };
}

/** Observes the batches of a worker from now on. Returns a function that ends that. */
export function observeWorker(worker: Worker, record: HandlerObserver['record']): () => void {
  const settings = settingsOf(worker);
  if (!settings) return () => {};
  const { handler, maxReceiveCount, retryDelaySeconds, visibilityTimeoutSeconds } = settings;
  settings.handler = observeHandler(handler, {
    record,
    maxReceiveCount,
    returnSeconds: retryDelaySeconds ?? visibilityTimeoutSeconds,
  });
  return () => {
    settings.handler = handler;
  };
}
