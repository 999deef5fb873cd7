import { realpathSync } from 'node:fs';
import { parentPort, Worker } from 'node:worker_threads';
import type { SqsRecord } from '../../../core/batch/events.ts';
import { routedTasks } from '../../../core/tasks/routedTasks.ts';
import type { Task } from '../../../core/tasks/task.ts';
import { runDirectly } from '../../testing/runDirectly.ts';
import { loadWorker } from '../loadWorker.ts';

/** One delivery of a message. */
export interface Delivery {
  readonly worker: string;
  readonly task: Task<object>;
  readonly queueArn: string;
  readonly functionArn: string;
  readonly timeoutSeconds: number;
  readonly record: Partial<SqsRecord>;
  readonly receiveCount: number;
}

/** The end of a delivery. */
export type Ended =
  | { readonly outcome: 'succeeded' }
  | { readonly outcome: 'failed'; readonly error: string };

/** A thread with a worker, which can be killed. */
export interface WorkerThread {
  /** Delivers a message. Never resolves if the thread is killed. */
  deliver(delivery: Delivery): Promise<Ended>;
  /** The names in `routeTasks` once the worker is loaded. */
  tasksOf(worker: string): Promise<readonly string[]>;
  kill(): Promise<void>;
}

type Request = { readonly delivery: Delivery } | { readonly load: string };
type Answer = { readonly ended: Ended } | { readonly tasks: readonly string[] } | { readonly thrown: string };

/** Starts a thread with an environment. The worker is loaded at the first delivery. */
export function startThread(env: NodeJS.ProcessEnv): WorkerThread {
  // The command line is its own thread's script.
  const thread = new Worker(realpathSync(process.argv[1] as string), { env, stdout: true, stderr: true });
  const ask = (request: Request): Promise<Answer> => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.postMessage(request);
    return promise;
  };
  const unwrap = <A extends Answer>(answer: Answer): Exclude<A, { thrown: string }> => {
    if ('thrown' in answer) throw new Error(answer.thrown);
    return answer as Exclude<A, { thrown: string }>;
  };
  return {
    async deliver(delivery) {
      return unwrap<{ ended: Ended }>(await ask({ delivery })).ended;
    },
    async tasksOf(worker) {
      return unwrap<{ tasks: readonly string[] }>(await ask({ load: worker })).tasks;
    },
    async kill() {
      await thread.terminate();
    },
  };
}

/** The other side: runs in the thread. */
export function serveThread(): void {
  parentPort?.on('message', async (request: Request) => {
    parentPort?.postMessage(await answer(request).catch((error: Error) => ({ thrown: error.message })));
  });
}

async function answer(request: Request): Promise<Answer> {
  if ('load' in request) {
    await loadWorker(request.load);
    return { tasks: routedTasks() };
  }
  const { delivery } = request;
  const handler = await loadWorker(delivery.worker);
  try {
    await runDirectly(delivery.task, { ...delivery, handler, context: {}, onLine: () => {} });
    return { ended: { outcome: 'succeeded' } };
  } catch (error) {
    const { name, message } = error as Error;
    return { ended: { outcome: 'failed', error: `${name}: ${message}` } };
  }
}
