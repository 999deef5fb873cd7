import type { Worker } from './startWorker.ts';
import type { WorkerSettings } from './workerOptions.ts';

const settings = new WeakMap<Worker, WorkerSettings>();

/** The settings of a worker that `startWorker` started. Its handler may be replaced. */
export function settingsOf(worker: Worker): WorkerSettings | undefined {
  return settings.get(worker);
}

export function setSettings(worker: Worker, ofWorker: WorkerSettings): void {
  settings.set(worker, ofWorker);
}
