import { AjsonError, type AjsonErrorKind } from './AjsonError.ts';
import type { Fields } from './AlgObject.ts';
import { formatPath, quote } from './formatPath.ts';
import { define } from './isPlain.ts';

/** The limits for reading and writing. */
export interface Limits {
  /** How deep a value may be, in levels. */
  readonly maxDepth: number;
  /** How many digits an integer may have. */
  readonly maxDigits: number;
}

/** The default limits; that of digits is Python's. */
export const LIMITS: Limits = { maxDepth: 512, maxDigits: 4300 };

/** 2^53 - 1, as a literal, because a bundler keeps every read of `Number`. */
export const MAX_SAFE: number = 9_007_199_254_740_991;

let wordy: WeakSet<object> | undefined;

/** Remembers an object that came with NaN or an infinity in it, so that they can be passed on. */
export function addWords(container: object): void {
  wordy ??= new WeakSet();
  wordy.add(container);
}

/** Whether a value is an object that came with NaN or an infinity in it. */
export function hasWords(value: unknown): boolean {
  return wordy?.has(value as object) ?? false;
}

/** Returns `copy`, which can be written with NaN and the infinities if `original` can. */
export function withWords<T>(original: unknown, copy: T): T {
  if (hasWords(original) && typeof copy === 'object' && copy) addWords(copy);
  return copy;
}

type Keys = readonly (string | number)[];

const SPACE = /[ \n\r\t]*/y;
const SCALAR = /true|false|null|(NaN|-?Infinity)|-?(0|[1-9]\d*)((?:\.\d+)?(?:[eE][+-]?\d+)?)/y;
const UNESCAPED = /[ !#-[\]-\uffff]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;

/**
 * Reads a text character by character, for the cases that `JSON.parse` cannot handle: Python's words NaN and
 * Infinity, integers of any length as bigint, and errors with their place. `visit` is called at the start of each
 * value.
 */
export function parseExact(text: string, limits: Limits, visit?: (keys: Keys, at: number) => void): unknown {
  const keys: (string | number)[] = [];
  let at = 0;

  function fail(kind: AjsonErrorKind, message: string, offset = at): never {
    throw new AjsonError(kind, message, { path: formatPath(keys), text, offset });
  }

  function unexpected(): never {
    const char = text[at];
    const name = char === '\ufeff' ? 'byte order mark (BOM)' : char === undefined ? 'end' : quote(char);
    return fail('syntax', `unexpected ${name}`);
  }

  /** Goes past a match of the pattern, if there is one here. */
  function skip(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at = pattern.lastIndex;
    return match;
  }

  /** The next character that is not white space. */
  function next(): string | undefined {
    skip(SPACE);
    return text[at];
  }

  /** Goes past the next character, which must be one of those given. */
  function take(wanted: string): string {
    const char = next();
    if (char === undefined || !wanted.includes(char)) return unexpected();
    at++;
    return char;
  }

  function value(): unknown {
    const char = next();
    visit?.(keys, at);
    if (char === '"') return string();
    if (char !== '[' && char !== '{') return scalar();
    if (keys.length >= limits.maxDepth) fail('depth', `deeper than ${limits.maxDepth} levels`);
    at++;
    return char === '[' ? members([], ']') : members({}, '}');
  }

  function scalar(): unknown {
    const start = at;
    const [all, word, whole = '', rest] = skip(SCALAR) ?? unexpected();
    if (word) return Number(word);
    const found: unknown = JSON.parse(all);
    if (typeof found !== 'number' || Number.isSafeInteger(found) || (rest && Number.isFinite(found)))
      return found;
    if (rest) fail('digits', 'beyond the largest number', start);
    if (whole.length > limits.maxDigits) fail('digits', `${whole.length} digits: more than maxDigits`, start);
    return BigInt(all);
  }

  function string(): string {
    next();
    const start = at;
    take('"');
    do skip(UNESCAPED);
    while (skip(ESCAPE));
    const char = text[at];
    if (char === '\\') fail('syntax', 'a wrong escape in a string');
    if (char !== '"') return unexpected();
    at++;
    return JSON.parse(text.slice(start, at));
  }

  /** Reads the members of a list or object until it is closed. */
  function members(made: unknown[] | Fields, close: string): unknown {
    if (next() === close) at++;
    else {
      do {
        const key = Array.isArray(made) ? made.length : string();
        if (close === '}') take(':');
        keys.push(key);
        const member = value();
        if (isWord(member)) addWords(made);
        // A name that the prototype has, such as `__proto__`, becomes the object's own.
        if (key in made) define(made, key as string, member, true);
        else made[key as never] = member as never;
        keys.pop();
      } while (take(`,${close}`) === ',');
    }
    return made;
  }

  const whole = value();
  return next() === undefined ? whole : unexpected();
}

function isWord(value: unknown): boolean {
  return typeof value === 'number' && !Number.isFinite(value);
}

/** The number of characters before the value that the keys lead to. */
export function offsetOf(text: string, limits: Limits, target: Keys): number | undefined {
  let offset: number | undefined;
  try {
    parseExact(text, limits, (keys, at) => {
      if (keys.length === target.length && keys.every((key, index) => key === target[index])) offset = at;
    });
  } catch {
    // The rest of the text is irrelevant.
  }
  return offset;
}
