import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Watches files. */
export interface Watcher {
  /**
   * Watches these files from now on. Some may not exist so far.
   *
   * @param since a file that was changed after this time counts as changed now, in milliseconds since 1970
   */
  set(files: readonly string[], since: number): void;
  close(): void;
}

/** How long a change waits for others: an editor saves a file in several steps. */
const settleMillis = 100;

/** Calls a function when the content of files may have changed. Folders are watched, since editors replace files. */
export function watchFiles(onChange: () => void): Watcher {
  const folders = new Map<string, FSWatcher>();
  let files: readonly string[] = [];
  let before = '';
  let timer: NodeJS.Timeout | undefined;

  const look = async () => {
    const now = await stateOf(files);
    if (now === before) return;
    before = now;
    onChange();
  };
  const schedule = () => {
    clearTimeout(timer);
    timer = setTimeout(look, settleMillis);
  };
  return {
    async set(given, since) {
      files = given;
      const wanted = new Set(files.map((file) => dirname(file)));
      for (const [folder, watcher] of folders) {
        if (wanted.has(folder)) continue;
        watcher.close();
        folders.delete(folder);
      }
      for (const folder of wanted) {
        const watcher = folders.get(folder) ?? watchFolder(folder, schedule);
        if (watcher) folders.set(folder, watcher);
      }
      before = await stateOf(files, since);
      schedule();
    },
    close() {
      clearTimeout(timer);
      for (const watcher of folders.values()) watcher.close();
    },
  };
}

function watchFolder(folder: string, onEvent: () => void): FSWatcher | undefined {
  try {
    // A folder that is removed meanwhile ends the watching.
    return watch(folder, onEvent).on('error', () => {});
  } catch {
    return undefined;
  }
}

/** The times and sizes of files. Those that are newer than `until` are left out. */
async function stateOf(files: readonly string[], until = Number.POSITIVE_INFINITY): Promise<string> {
  const states = await Promise.all(
    files.map(async (file) => {
      const { mtimeMs, size } = await stat(file).catch(() => ({ mtimeMs: 0, size: 0 }));
      return mtimeMs > until ? '' : `${file} ${mtimeMs} ${size}`;
    }),
  );
  return states.join('\n');
}
