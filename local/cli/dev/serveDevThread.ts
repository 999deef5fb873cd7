import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { formatWithOptions } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { AlgernonError } from '../../../core/errors.ts';
import { definedTasks, routedTasks } from '../../../core/tasks/routedTasks.ts';
import { isLastLine, lineOf } from '../../dev/logLine.ts';
import { loggingTask } from '../../dev/observeHandler.ts';
import type { DevTask } from '../../dev/protocol.ts';
import { devTask, observeWorker, tasksOf } from '../../dev/startDevServer.ts';
import type { LambdaHandler } from '../../lambdaTypes.ts';
import { startLocalAws } from '../../startLocalAws.ts';
import { startWorker, type Worker } from '../../startWorker.ts';
import { createTaskQueue } from '../../taskQueues.ts';
import { settingsOf } from '../../workerSettings.ts';
import { loadWorker } from '../loadWorker.ts';
import type { ThreadData, ThreadMessage, ThreadRequest } from './devThread.ts';

/** Runs in the thread of the dev server: loads a worker, and lets it work on its queues. */
export function serveDevThread(): void {
  const data = workerData as ThreadData;
  const tell = (message: ThreadMessage) => parentPort?.postMessage(message);
  const fail = (error: unknown) => tell({ failed: (error as Error).message });
  watchImports((file) => tell({ files: [file] }));
  const loading = loadWorker(data.worker, (files) => tell({ files }));
  loading.then(() => tell({ loaded: true }), fail);
  let worker: Worker | undefined;

  parentPort?.on('message', async (request: ThreadRequest) => {
    try {
      if (request === 'start') {
        const started = await startHere(await loading, data, tell);
        worker = started.worker;
        tell({ started: started.tasks });
      } else {
        await worker?.stop();
        tell({ stopped: true });
      }
    } catch (error) {
      fail(error);
    }
  });
}

async function startHere(
  handler: LambdaHandler,
  { worker: file, tasks: given, endpoint, region, bucket, visibilityTimeoutSeconds }: ThreadData,
  tell: (message: ThreadMessage) => void,
): Promise<{ worker: Worker; tasks: DevTask[] }> {
  const routed = routedTasks();
  const served = given ?? (routed.length > 0 ? routed : definedTasks());
  if (served.length === 0) {
    throw new AlgernonError(
      'NO_TASKS',
      `The tasks of ${file} are unknown. Use routeTasks or defineTasks in it, or give their names: --tasks a,b`,
    );
  }
  const aws = await startLocalAws({ endpoint, region, bucket });
  const worker = await startWorker({ aws, handler, tasks: served, visibilityTimeoutSeconds });
  observeWorker(worker, (entry) => tell({ entry }));
  captureConsole(tell);
  return { worker, tasks: [...tasksOf(worker), ...(await tasksOfOthers(worker, served))] };
}

/** The defined tasks that the worker does not serve. They have queues too, so that their messages can be sent. */
async function tasksOfOthers(worker: Worker, served: readonly string[]): Promise<DevTask[]> {
  const settings = settingsOf(worker);
  const others = definedTasks().filter((name) => !served.includes(name));
  if (!settings) return [];
  return Promise.all(others.map(async (name) => devTask(await createTaskQueue(name, settings))));
}

/** Tells each file that is imported from now on. Node before 22.15 cannot. */
function watchImports(onFile: (file: string) => void): void {
  const tell = (url: string) => {
    if (url.startsWith('file:') && !url.includes('/node_modules/')) onFile(fileURLToPath(url));
  };
  module.registerHooks?.({
    resolve(specifier, context, next) {
      try {
        const resolved = next(specifier, context);
        tell(resolved.url);
        return resolved;
      } catch (error) {
        // It may be created later.
        if (/^\.{1,2}\//.test(specifier) && context.parentURL)
          tell(new URL(specifier, context.parentURL).href);
        throw error;
      }
    },
  });
}

const methods = ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const;

/** Shows the console output of a task beside it. With lambdaLogged, its lines come from there. */
function captureConsole(tell: (message: ThreadMessage) => void): void {
  for (const method of methods) {
    const original = console[method].bind(console);
    console[method] = (...values: unknown[]) => {
      original(...values);
      const text = formatWithOptions({ depth: 5 }, ...values);
      if (isLastLine(text)) return;
      const entry = lineOf(loggingTask(), method === 'log' ? 'INFO' : method.toUpperCase(), text);
      if (entry) tell({ entry });
    };
  }
}
