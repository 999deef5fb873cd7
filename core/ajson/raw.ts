import { LIMITS } from './parseExact.ts';
import { read } from './read.ts';

/**
 * Parses a text as `ajson.raw` does, without importing the code that builds and writes: tags stay tags, integers past
 * 2^53 are bigint, and Python's NaN and Infinity are read.
 *
 * @throws AjsonError with the path and the place in the text
 */
export function raw(text: string): unknown {
  return read(LIMITS, text);
}
