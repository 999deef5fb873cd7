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
const SCALAR = /(true|false|null|NaN|-?Infinity)|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;
const WORDS: Readonly<Record<string, unknown>> = { true: true, false: false, null: null };

/**
 * Reads a text character by character, for the cases that `JSON.parse` cannot handle: Python's words NaN and
 * Infinity, integers of any length as bigint, and errors with their place. `visit` is called at the start of each
 * value.
 */
export function parseExact(text: string, limits: Limits, visit?: (keys: Keys, at: number) => void): unknown {
  const keys: (string | number)[] = [];
  let at = 0;

  function fail(kind: AjsonErrorKind, message: string): never {
    throw new AjsonError(kind, message, { path: formatPath(keys), text, offset: at });
  }

  function unexpected(): never {
    const char = text[at];
    if (char === '\ufeff') fail('syntax', 'a byte order mark (BOM), which JSON does not allow');
    return fail('syntax', `unexpected ${char === undefined ? 'end' : quote(char)}`);
  }

  /** The next character that is not white space. */
  function next(): string | undefined {
    SPACE.lastIndex = at;
    SPACE.test(text);
    at = SPACE.lastIndex;
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
    return char === '[' ? array() : object();
  }

  function scalar(): unknown {
    SCALAR.lastIndex = at;
    const [all, word, whole = '', fraction, exponent] = SCALAR.exec(text) ?? unexpected();
    let found: unknown = Number(all);
    if (word) found = word in WORDS ? WORDS[word] : found;
    else if (!Number.isSafeInteger(found) && !(fraction || exponent)) {
      if (whole.length > limits.maxDigits) fail('digits', `${whole.length} digits: more than maxDigits`);
      found = BigInt(all);
    } else if (!Number.isFinite(found)) fail('digits', 'beyond the largest number');
    at += all.length;
    return found;
  }

  function string(): string {
    for (let end = at; ; ) {
      end = text.indexOf('"', end + 1);
      let slashes = end;
      while (text[slashes - 1] === '\\') slashes--;
      if (end >= 0 && (end - slashes) % 2) continue;
      try {
        const found: string = JSON.parse(text.slice(at, end < 0 ? at : end + 1));
        at = end + 1;
        return found;
      } catch {
        return badString();
      }
    }
  }

  function badString(): never {
    for (at++; ; at++) {
      const char = text[at];
      if (char === undefined) return unexpected();
      if (char < ' ') fail('syntax', `a control character in a string: ${quote(char)} must be escaped`);
      if (char !== '\\') continue;
      ESCAPE.lastIndex = at;
      if (!ESCAPE.test(text)) fail('syntax', 'a wrong escape in a string');
      at = ESCAPE.lastIndex - 1;
    }
  }

  function array(): unknown[] {
    const list: unknown[] = [];
    if (next() === ']') take(']');
    else {
      do {
        keys.push(list.length);
        const item = value();
        if (isWord(item)) addWords(list);
        list.push(item);
        keys.pop();
      } while (take(',]') === ',');
    }
    return list;
  }

  function object(): Fields {
    const made: Fields = {};
    if (next() === '}') take('}');
    else {
      do {
        if (next() !== '"') unexpected();
        const key = string();
        take(':');
        keys.push(key);
        const member = value();
        if (isWord(member)) addWords(made);
        // A name that the prototype has, such as `__proto__`, becomes the object's own.
        if (key in made) define(made, key, member, true);
        else made[key] = member;
        keys.pop();
      } while (take(',}') === ',');
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
