import { readFile } from 'node:fs/promises';

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
}

/** This module is two folders deep, as source and when built. */
const folder = new URL('../../dist/local/dev/page/', import.meta.url);

const files: Readonly<Record<string, readonly [name: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/index.html': ['index.html', 'text/html; charset=utf-8'],
  '/app.js': ['app.js', 'text/javascript; charset=utf-8'],
  '/app.css': ['app.css', 'text/css; charset=utf-8'],
};

/** Reads a file of the page. Other paths lead to no file. */
export async function readPage(path: string): Promise<PageFile | undefined> {
  const found = Object.hasOwn(files, path) ? files[path] : undefined;
  if (!found) return undefined;
  const [name, type] = found;
  try {
    return { type, bytes: await readFile(new URL(name, folder)) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}
