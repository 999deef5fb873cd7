import { AjsonError, type AjsonErrorKind } from '../errors.ts';
import type { Fields } from './AlgObject.ts';
import { define } from './define.ts';
import { formatPath } from './formatPath.ts';
import type { Limits } from './limits.ts';

type Keys = readonly (string | number)[];

const SPACE = /[ \n\r\t]*/y;
const SCALAR = /(true|false|null|NaN|-?Infinity)|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const WORDS: Readonly<Record<string, unknown>> = { true: true, false: false, null: null };

/**
 * Reads a text character by character. It is for what `JSON.parse` cannot do: Python's words NaN and Infinity,
 * integers of any length as bigint, and errors that say where. `visit` is called at the start of each value.
 */
export function parseExact(text: string, limits: Limits, visit?: (keys: Keys, at: number) => void): unknown {
  const keys: (string | number)[] = [];
  let at = 0;

  function fail(kind: AjsonErrorKind, message: string): never {
    throw new AjsonError(kind, message, { path: formatPath(keys), text, offset: at });
  }

  function unexpected(): never {
    return fail('syntax', `unexpected ${JSON.stringify(text[at]) ?? 'end'}`);
  }

  /** The next character that is no white space. */
  function next(): string | undefined {
    SPACE.lastIndex = at;
    SPACE.test(text);
    at = SPACE.lastIndex;
    return text[at];
  }

  /** Goes past the next character, which is one of those given. */
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
      if (end < 0) {
        at = text.length;
        unexpected();
      }
      let slashes = end;
      while (text[slashes - 1] === '\\') slashes--;
      if ((end - slashes) % 2) continue;
      try {
        const found: string = JSON.parse(text.slice(at, end + 1));
        at = end + 1;
        return found;
      } catch {
        fail('syntax', 'control character or wrong escape');
      }
    }
  }

  function array(): unknown[] {
    const list: unknown[] = [];
    if (next() === ']') take(']');
    else {
      do {
        keys.push(list.length);
        list.push(value());
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
        // What the prototype has, such as `__proto__`, becomes the object's own.
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

/** How many characters of the text are before the value that the keys lead to. */
export function offsetOf(text: string, limits: Limits, target: Keys): number | undefined {
  let offset: number | undefined;
  try {
    parseExact(text, limits, (keys, at) => {
      if (keys.length === target.length && keys.every((key, index) => key === target[index])) offset = at;
    });
  } catch {
    // What comes after the place is of no matter.
  }
  return offset;
}
