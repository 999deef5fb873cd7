import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openDevRun } from '../../dev/openDevRun.ts';
import { bindQueue } from '../../queueCalls.ts';
import { controlOf } from '../../serverControl.ts';
import { type LocalAws, startLocalAws } from '../../startLocalAws.ts';
import { type DevThread, startDevThread } from './devThread.ts';
import { watchFiles } from './watchFiles.ts';

export interface DevOptions {
  /** The file of the worker, with `#name` for another export than `handler`. */
  readonly worker: string;
  readonly tasks: readonly string[] | undefined;
  readonly port: number;
  readonly file: string;
  readonly visibilityTimeoutSeconds: number;
  /** Whether the output of the worker goes to standard error. */
  readonly toStderr: boolean;
  /** The worker was loaded, for the first time or again. Called with the error if it was not. */
  onLoad(outcome: { error?: string; isReload: boolean }): void;
  onError(error: Error): void;
}

/** A running dev server. */
export interface Dev {
  readonly aws: LocalAws;
  /** The URL of the page, with its token. */
  readonly url: string;
  /** The names of the tasks; none as long as the worker cannot be loaded. */
  readonly tasks: readonly string[];
  stop(): Promise<void>;
}

/**
 * Starts local AWS, a thread with the worker, and the page. The worker is loaded again when one of its files changes; messages
 * stay in their queues meanwhile.
 */
export async function startDev(options: DevOptions): Promise<Dev> {
  const { worker, port, file, onError } = options;
  const aws = await startLocalAws();
  const run = await openDevRun({ aws, name: worker, port, file, onError }).catch(async (error: unknown) => {
    await aws.stop();
    throw error;
  });
  let thread: DevThread | undefined;
  let reloading: Promise<void> | undefined;
  let isDue = false;
  let isStopped = false;

  const fail = (error: string, isReload: boolean) => {
    run.record({ kind: 'reload', at: Date.now(), error });
    options.onLoad({ error, isReload });
  };
  const load = async (isReload: boolean) => {
    const since = Date.now();
    const next = startThread(options, aws, run.record, (reason) => {
      if (thread === next) fail(reason, true);
    });
    const old = thread;
    thread = next;
    // Nothing of the old code may take a message once the new one runs.
    const [loaded] = await Promise.allSettled([next.loaded, old && stopThread(old, aws, run.log.tasks)]);
    watcher.set([resolve(worker.split('#')[0] ?? ''), ...next.files()], since);
    try {
      if (loaded.status === 'rejected') throw loaded.reason;
      run.setTasks(await next.start());
      if (isReload) run.record({ kind: 'reload', at: Date.now() });
      options.onLoad({ isReload });
    } catch (error) {
      thread = undefined;
      await next.stop();
      fail((error as Error).message, isReload);
    }
  };
  const reload = async () => {
    isDue = true;
    reloading ??= (async () => {
      while (isDue && !isStopped) {
        isDue = false;
        await load(true);
      }
      reloading = undefined;
    })();
    await reloading;
  };
  const watcher = watchFiles(reload);
  await load(false);

  return {
    aws,
    url: run.url,
    get tasks() {
      return run.log.tasks.map(({ name }) => name);
    },
    async stop() {
      isStopped = true;
      watcher.close();
      await reloading;
      await thread?.stop();
      await run.stop();
      await aws.stop();
    },
  };
}

function startThread(
  { worker, tasks, visibilityTimeoutSeconds, toStderr }: DevOptions,
  { endpoint, region, bucket, env }: LocalAws,
  onEntry: Parameters<typeof startDevThread>[0]['onEntry'],
  onEnd: (reason: string) => void,
): DevThread {
  return startDevThread({
    data: { kind: 'dev', worker, tasks, endpoint, region, bucket, visibilityTimeoutSeconds },
    env: { ...withoutAws(process.env), ...env },
    toStderr,
    onEntry,
    onEnd,
  });
}

/** The environment without what leads clients to AWS itself: a profile, a session, the endpoint of one service. */
function withoutAws(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isAws =
    /^AWS_(PROFILE|DEFAULT_PROFILE|SESSION_TOKEN|ENDPOINT_URL.*|IGNORE_CONFIGURED_ENDPOINT_URLS)$/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isAws.test(name)));
}

/** How long a poll of `startWorker` waits, and a little more. */
const pollMillis = 1100;

/** Stops a thread. Messages of a batch that was cut off are visible again at once. */
async function stopThread(
  thread: DevThread,
  aws: LocalAws,
  tasks: readonly { readonly queueUrl: string }[],
): Promise<void> {
  if (await thread.stop()) return;
  // Local SQS still serves the poll of a thread that has crashed, and would give it the messages.
  await pause(pollMillis);
  for (const { queueUrl } of tasks) {
    const state = await controlOf(aws)?.inspect(queueUrl.split('/').at(-1) ?? '');
    const handles = state?.inflight.map(({ receiptHandle }) => receiptHandle) ?? [];
    await (await bindQueue(aws.sqs, queueUrl)).hide(handles, 0);
  }
}
