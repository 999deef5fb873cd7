import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DevServerFile, devFile } from '../openTarget.ts';

const folder = '.algernon';
const runs = join(folder, 'runs');

/** How many runs are kept. */
const keptRuns = 20;

/** Makes the folder of the dev server. Its files are not for version control. */
export async function makeDevFolder(): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, '.gitignore'), '*\n');
}

/** The file of a new run. Older runs than the last ones are removed. */
export async function newRunFile(): Promise<string> {
  await mkdir(runs, { recursive: true });
  const names = (await readdir(runs)).filter((name) => name.endsWith('.jsonl')).sort();
  const old = names.slice(0, Math.max(0, names.length - keptRuns + 1));
  await Promise.all(old.map((name) => rm(join(runs, name), { force: true })));
  const time = new Date().toISOString().slice(0, 23).replace(/[:.]/g, '-');
  return join(runs, `${time}.jsonl`);
}

/**
 * Tells the commands in this folder where local AWS listens.
 *
 * @returns a function that removes the file, unless another dev server has replaced it
 */
export async function writeDevFile(server: DevServerFile): Promise<() => Promise<void>> {
  const text = `${JSON.stringify(server, null, 2)}\n`;
  // The URL has the token of the page.
  await rm(devFile, { force: true });
  await writeFile(devFile, text, { mode: 0o600 });
  return async () => {
    const current = await readFile(devFile, 'utf8').catch(() => undefined);
    if (current === text) await rm(devFile, { force: true });
  };
}
