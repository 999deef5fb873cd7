import { AjsonError } from './AjsonError.ts';
import { ErrorPath, fail, pathOf } from './ErrorPath.ts';
import { type Limits, MAX_SAFE, offsetOf, parseExact } from './parseExact.ts';
import { type BuildTag, isClean, rebuildTree } from './rebuild.ts';

/** The value of a text; with `build`, tags become their values. Throws an `AjsonError`. */
export function read(limits: Limits, text: string, build?: BuildTag): unknown {
  if (typeof text !== 'string')
    throw new AjsonError('syntax', `the text must be a string and is ${typeof text}`);
  let large: LargeNumbers | undefined;
  let next = 0;
  function exact(value: number): number | bigint {
    large ??= largeNumbers(text);
    const digits = large.digits[next++] ?? '';
    // An odd one is read exactly, and fails there if it must.
    if (Number(digits) !== value || !Number.isFinite(value) || digits.length > limits.maxDigits)
      fail('digits', '');
    return /^-?\d+$/.test(digits) ? BigInt(digits) : value;
  }
  try {
    // V8 may read an escaped name as one that an earlier text had: https://github.com/nodejs/node/issues/63785
    if (!hasEscapedName(text)) {
      const tree: unknown = JSON.parse(text);
      const tagged = build && text.includes('_alg_class');
      if (!tagged && isClean(tree, limits.maxDepth)) return tree;
      const { value, members } = rebuildTree(limits.maxDepth, tree, tagged ? build : undefined, exact);
      if (!large || (next === large.digits.length && members === large.members)) return value;
    }
  } catch (error) {
    if (error instanceof ErrorPath && !large) throw locate(limits, text, error);
  }
  return readExact(limits, text, build);
}

/** The same for texts that `JSON.parse` cannot read, and where digits cannot be matched with numbers. */
function readExact(limits: Limits, text: string, build: BuildTag | undefined): unknown {
  try {
    return rebuildTree(limits.maxDepth, parseExact(text, limits), build).value;
  } catch (error) {
    throw error instanceof AjsonError ? error : locate(limits, text, error);
  }
}

function locate(limits: Limits, text: string, error: unknown): AjsonError {
  const path = pathOf(error);
  return path.toError(text, offsetOf(text, limits, path.keys.toReversed()));
}

const BACKSLASH = 92;
const QUOTE = 34;
const COLON = 58;
const SPACE = 32;
const MINUS = 45;

/** Whether a name in the text has an escape. By hand, since a regular expression is five times slower. */
function hasEscapedName(text: string): boolean {
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', at)) {
    let code: number;
    at = endOfString(text, at - 1);
    do code = text.charCodeAt(++at);
    while (code <= SPACE);
    if (code === COLON) return true;
  }
  return false;
}

/** The index of the quote that ends a string, from before any of its characters. */
function endOfString(text: string, before: number): number {
  let at = before;
  let code = 0;
  do {
    code = text.charCodeAt(++at);
    if (code === BACKSLASH) at++;
  } while (code !== QUOTE && at < text.length);
  return at;
}

/** The numbers of a text that are past 2^53. */
interface LargeNumbers {
  /** As they are written, in the order of the text. */
  readonly digits: string[];
  /** The number of members of its objects; NaN if they come in another order, since a name begins with a digit. */
  members: number;
}

/**
 * Finds the large numbers in a text that is JSON and has no escapes in names. They are those of the parsed value, one for
 * one and in its order, if both have as many members: of members with the same name only the last is kept.
 */
function largeNumbers(text: string): LargeNumbers {
  const found: LargeNumbers = { digits: [], members: 0 };
  let name = 0;
  for (let at = 0; at < text.length; at++) {
    let code = text.charCodeAt(at);
    const start = at;
    if (code === QUOTE) {
      name = at + 1;
      at = endOfString(text, at);
    } else if (code === COLON) found.members += isDigit(text.charCodeAt(name)) ? Number.NaN : 1;
    else if (isDigit(code) || code === MINUS) {
      let isLong = false;
      // To the next white space, comma or bracket.
      while (code > 42 && code < 102 && code !== 44 && code !== 93) {
        if (code > 57) isLong = true;
        code = text.charCodeAt(++at);
      }
      if (isLong || at - start > 15) {
        const digits = text.slice(start, at);
        if (Math.abs(Number(digits)) > MAX_SAFE) found.digits.push(digits);
      }
      at--;
    }
  }
  return found;
}

function isDigit(code: number): boolean {
  return code > 47 && code < 58;
}
