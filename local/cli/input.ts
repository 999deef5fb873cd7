import { readFile } from 'node:fs/promises';
import { raw } from '../../core/ajson/raw.ts';
import { UsageError } from './command.ts';

/** The bytes of standard input, or of a file. */
export async function readInput(file: string): Promise<Buffer> {
  if (file !== '-') {
    return readFile(file).catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`${file} cannot be read: ${error.message}`);
    });
  }
  if (process.stdin.isTTY) throw new UsageError('"-" reads standard input: pipe a text into it.');
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** Parses JSON that was typed. Tags stay tags, and no digit is lost. */
export function parseTyped(text: string, what: string): unknown {
  try {
    return raw(text);
  } catch (error) {
    throw new UsageError(`${what} is not JSON: ${(error as Error).message}`);
  }
}

/** Reads a port. Default 0, a free one. */
export function readPort(text = '0'): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new UsageError(`--port must be a number from 0 to 65535, not ${text}.`);
  }
  return Number(text);
}

/** Splits `NAME=VALUE`. */
export function splitPair(pair: string, option: string): [name: string, value: string] {
  const at = pair.indexOf('=');
  if (at < 1) throw new UsageError(`${option} must be NAME=VALUE, not ${pair}.`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}
