import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileEntry } from './protocol.ts';

/** Writes the entries of a run to a file, one line of JSON each. */
export interface RunFile {
  readonly path: string;
  write(entry: FileEntry): void;
  close(): Promise<void>;
}

/** A file gets no larger than this, in characters. */
const maxCharacters = 512 * 1024 * 1024;

/**
 * Opens the file of a run. It replaces an earlier file of that name.
 *
 * @param onError gets the first error of a write; the run goes on without the file
 */
export async function openRunFile(path: string, onError: (error: Error) => void): Promise<RunFile> {
  await mkdir(dirname(path), { recursive: true });
  const stream = createWriteStream(path, { mode: 0o600 });
  let left = maxCharacters;
  let hasFailed = false;
  const fail = (error: Error) => {
    if (!hasFailed) onError(error);
    hasFailed = true;
  };
  stream.on('error', fail);
  return {
    path,
    write(entry) {
      if (hasFailed) return;
      const line = `${JSON.stringify(entry)}\n`;
      left -= line.length;
      if (left < 0)
        fail(new Error(`${path} has reached ${maxCharacters} characters: nothing more is written.`));
      else stream.write(line);
    },
    async close() {
      await new Promise<void>((resolve) => {
        stream.on('close', resolve);
        stream.end();
      });
    },
  };
}
