import { raw } from '../../core/ajson/raw.ts';
import { findPointers } from '../../core/storedData/findPointers.ts';
import { limitConcurrency } from '../../core/storedData/limitConcurrency.ts';
import { type DevAws, devActions } from './devActions.ts';
import type { DevTask, FileEntry } from './protocol.ts';
import { openRunFile } from './runFile.ts';
import { openRunLog, type RunLog } from './runLog.ts';
import { serveRun } from './serveRun.ts';

export interface DevRunOptions {
  readonly aws: DevAws;
  /** The name of the worker, for people. */
  readonly name: string | undefined;
  readonly port: number;
  /** The file to write, if any. */
  readonly file: string | undefined;
  /** Gets problems that do not stop the run. */
  onError(error: Error): void;
}

/** A run that is recorded and shown. */
export interface DevRun {
  /** The URL of the page, with its token. */
  readonly url: string;
  readonly log: RunLog;
  record(entry: FileEntry): void;
  setTasks(tasks: readonly DevTask[]): void;
  /** How many pages are open. */
  readonly pages: number;
  stop(): Promise<void>;
}

/** How much of a run is kept in memory, in characters. */
export const maxLogCharacters: number = 64 * 1024 * 1024;

/** How many objects are read at once for the file. */
const concurrentReads = 4;

/** Starts to record a run, and serves its page. */
export async function openDevRun({ aws, name, port, file, onError }: DevRunOptions): Promise<DevRun> {
  const log = openRunLog({ maxCharacters: maxLogCharacters });
  const actions = devActions({
    aws,
    tasks: () => log.tasks,
    onSent: (events) => {
      for (const event of events) record({ kind: 'event', event });
    },
  });
  const runFile = file === undefined ? undefined : await openRunFile(file, onError);
  const served = await serveRun({ log, actions, port });
  const copies = runFile && copyObjects((pointer) => actions.readObject(pointer), runFile.write);

  const record = (entry: FileEntry) => {
    log.add(entry);
    runFile?.write(entry);
    copies?.see(entry);
  };
  record({
    kind: 'run',
    version: 1,
    startedAt: Date.now(),
    ...(name !== undefined && { worker: name }),
    endpoint: aws.endpoint,
    bucket: aws.bucket,
  });
  return {
    url: served.url,
    log,
    record,
    setTasks: (tasks) => record({ kind: 'tasks', tasks: [...tasks] }),
    get pages() {
      return served.pages;
    },
    async stop() {
      await served.stop();
      await copies?.done();
      await runFile?.close();
    },
  };
}

/** Writes the objects that a run leads to into its file: they are gone when it is opened. */
function copyObjects(
  read: (pointer: string) => Promise<FileEntry>,
  write: (entry: FileEntry) => void,
): { see(entry: FileEntry): void; done(): Promise<void> } {
  const limited = limitConcurrency(concurrentReads);
  const copied = new Set<string>();
  const reading = new Set<Promise<void>>();
  const copy = (pointer: string) => {
    if (copied.has(pointer)) return;
    copied.add(pointer);
    const work = limited(() => read(pointer))
      // An object that cannot be read is missing in the file.
      .then(write, () => {})
      .finally(() => reading.delete(work));
    reading.add(work);
  };
  return {
    see(entry) {
      if (entry.kind === 'event' && entry.event.type === 'stored') copy(entry.event.pointer);
      if (entry.kind === 'message' && entry.text.includes('StoredData')) pointersIn(entry.text).forEach(copy);
    },
    async done() {
      await Promise.all(reading);
    },
  };
}

function pointersIn(text: string): string[] {
  const pointers: string[] = [];
  try {
    findPointers(raw(text), [], true, ({ pointer }) => void pointers.push(pointer));
  } catch {
    // The text was cut, or is not JSON.
  }
  return pointers;
}
