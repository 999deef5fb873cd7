import { AjsonError } from '../errors.ts';
import { hasEscapedName } from './hasEscapedName.ts';
import { type LargeNumbers, largeNumbers } from './largeNumbers.ts';
import type { Limits } from './limits.ts';
import { offsetOf, parseExact } from './parseExact.ts';
import { type BuildTag, rebuildTree } from './rebuild.ts';
import { fail, traceOf } from './Trace.ts';

/** The value of a text; with `build`, tags become what they stand for. Throws an `AjsonError`. */
export function read(limits: Limits, text: string, build?: BuildTag): unknown {
  if (typeof text !== 'string') throw new AjsonError('syntax', 'what is read is a string');
  // V8 may read an escaped name as one that an earlier text has had: https://github.com/nodejs/node/issues/63785
  if (hasEscapedName(text)) return readExact(limits, text, build);
  let tree: unknown;
  try {
    tree = JSON.parse(text);
  } catch {
    return readExact(limits, text, build);
  }
  let large: LargeNumbers | undefined;
  let next = 0;
  function exact(value: number): number | bigint {
    large ??= largeNumbers(text);
    const digits = large.digits[next++] ?? '';
    // What is odd is read exactly, and fails there, if it does.
    if (Number(digits) !== value || !Number.isFinite(value) || digits.length > limits.maxDigits)
      fail('digits', '');
    return /^-?\d+$/.test(digits) ? BigInt(digits) : value;
  }
  try {
    const tagged = build && text.includes('_alg_class');
    const { value, members } = rebuildTree(limits.maxDepth, tree, tagged ? build : undefined, exact);
    if (!large || (next === large.digits.length && members === large.members)) return value;
  } catch (error) {
    if (!large) throw locate(limits, text, error);
  }
  return readExact(limits, text, build);
}

/** The same, for what `JSON.parse` cannot read, and where it cannot be told whose digits are whose. */
function readExact(limits: Limits, text: string, build: BuildTag | undefined): unknown {
  try {
    return rebuildTree(limits.maxDepth, parseExact(text, limits), build).value;
  } catch (error) {
    throw error instanceof AjsonError ? error : locate(limits, text, error);
  }
}

function locate(limits: Limits, text: string, error: unknown): AjsonError {
  const trace = traceOf(error);
  return trace.toError(text, offsetOf(text, limits, trace.keys.toReversed()));
}
