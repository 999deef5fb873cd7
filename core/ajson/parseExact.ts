import { AjsonError, type AjsonErrorKind } from '../errors.ts';
import { formatPath } from './formatPath.ts';

/** What bounds the reading of a text. */
export interface ParseLimits {
  readonly maxDepth: number;
  readonly maxDigits: number;
}

type Key = string | number;

const ESCAPES = /\\(?:u[\da-fA-F]{4}|["\\/bfnrt])|\\|[^ -\uffff]/g;
const WORDS: readonly [string, unknown][] = [
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
];

/**
 * Reads a text character by character. It is for what `JSON.parse` cannot do: Python's words NaN and Infinity,
 * integers of any length as bigint, and errors that say where. `found` is called with each place that is begun.
 */
export function parseExact(
  text: string,
  limits: ParseLimits,
  found?: (keys: readonly Key[], offset: number) => void,
): unknown {
  const keys: Key[] = [];
  let at = 0;

  function fail(kind: AjsonErrorKind, message: string, offset = at): never {
    throw new AjsonError(kind, message, { path: formatPath(keys), offset, text });
  }

  function unexpected(): never {
    return fail(
      'syntax',
      at < text.length ? `unexpected ${JSON.stringify(text[at])}` : 'the text ends too early',
    );
  }

  /** Skips white space, and gives the code of what follows. */
  function next(): number {
    for (;;) {
      const code = text.charCodeAt(at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return code;
      at++;
    }
  }

  function value(): unknown {
    const code = next();
    found?.(keys, at);
    if (code === 34) return string();
    if (code === 123 || code === 91) {
      if (keys.length >= limits.maxDepth) fail('depth', `deeper than ${limits.maxDepth} levels`);
      return code === 123 ? object() : array();
    }
    for (const [word, meaning] of WORDS) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return meaning;
      }
    }
    return number(code);
  }

  /** Goes past a run of digits. */
  function digits(): void {
    const start = at;
    while (text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57) at++;
    if (at === start) unexpected();
  }

  function number(code: number): number | bigint {
    const start = at;
    if (code === 45) at++;
    const first = at;
    digits();
    const length = at - first;
    if (length > 1 && text.charCodeAt(first) === 48) fail('syntax', 'a number does not begin with 0', first);
    let whole = true;
    if (text[at] === '.') {
      whole = false;
      at++;
      digits();
    }
    if (text[at] === 'e' || text[at] === 'E') {
      whole = false;
      at++;
      if (text[at] === '+' || text[at] === '-') at++;
      digits();
    }
    const number = Number(text.slice(start, at));
    if (whole && !Number.isSafeInteger(number)) {
      if (length > limits.maxDigits) {
        fail('digits', `an integer of ${length} digits: more than maxDigits, ${limits.maxDigits}`, start);
      }
      return BigInt(text.slice(start, at));
    }
    return Number.isFinite(number) ? number : fail('digits', 'beyond the largest number', start);
  }

  function string(): string {
    const start = at;
    for (;;) {
      at = text.indexOf('"', at + 1);
      if (at < 0) {
        at = text.length;
        return unexpected();
      }
      let slashes = at;
      while (text.charCodeAt(slashes - 1) === 92) slashes--;
      if ((at - slashes) % 2 === 0) break;
    }
    at++;
    for (const match of text.slice(start + 1, at - 1).matchAll(ESCAPES)) {
      if (match[0].length === 1)
        fail('syntax', 'a character or an escape that no string may hold', start + 1 + match.index);
    }
    return JSON.parse(text.slice(start, at));
  }

  function array(): unknown[] {
    const list: unknown[] = [];
    at++;
    if (next() === 93) {
      at++;
      return list;
    }
    for (;;) {
      keys.push(list.length);
      list.push(value());
      keys.pop();
      const code = next();
      if (code !== 44 && code !== 93) unexpected();
      at++;
      if (code === 93) return list;
    }
  }

  function object(): object {
    const made: Record<string, unknown> = {};
    at++;
    if (next() === 125) {
      at++;
      return made;
    }
    for (;;) {
      if (next() !== 34) unexpected();
      const key = string();
      if (next() !== 58) unexpected();
      at++;
      keys.push(key);
      const member = value();
      // What the prototype has, such as `__proto__`, must become the object's own.
      if (key in made) {
        Object.defineProperty(made, key, {
          value: member,
          writable: true,
          enumerable: true,
          configurable: true,
        });
      } else made[key] = member;
      keys.pop();
      const code = next();
      if (code !== 44 && code !== 125) unexpected();
      at++;
      if (code === 125) return made;
    }
  }

  const whole = value();
  next();
  return at < text.length ? unexpected() : whole;
}
