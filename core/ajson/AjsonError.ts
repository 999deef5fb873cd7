import { AlgernonError, type ErrorDetails } from '../errors.ts';
import { quote } from './formatPath.ts';

/** The reason for an {@link AjsonError}. */
export type AjsonErrorKind = 'syntax' | 'depth' | 'digits' | 'tag' | 'class' | 'value';

/** The place of an {@link AjsonError} in a text and in the value that the text holds. */
export interface AjsonErrorDetails extends ErrorDetails {
  /** The number of characters before the fault; only for `loads` and `raw`. */
  offset?: number | undefined;
  /** The text that was read; `line` and `column` are counted in it. */
  text?: string | undefined;
}

/**
 * ajson could not write a value or read a text. `path` is the place in the value. If a text was read, `offset`
 * (from 0), `line` and `column` (from 1) are the place in the text. `kind` is one of:
 *
 * - `syntax`: the text is not JSON;
 * - `depth`: the value is deeper than `maxDepth`, or has a cycle;
 * - `digits`: a number has more digits than `maxDigits`, or is too large for a number;
 * - `tag`: the value of a tag such as `datetime` is not valid;
 * - `class`: a class is not registered, or its own code failed (see `cause`);
 * - `value`: the value cannot be written.
 */
export class AjsonError extends AlgernonError {
  override readonly name: string = 'AjsonError';
  /** The kind of the problem. */
  readonly kind: AjsonErrorKind;
  /** The position in the text that was read, from 0. */
  readonly offset: number | undefined;
  /** The line in the text that was read, from 1. */
  readonly line: number | undefined;
  /** The column in the text that was read, from 1. */
  readonly column: number | undefined;

  constructor(kind: AjsonErrorKind, message: string, details: AjsonErrorDetails = {}) {
    const { path, offset, text } = details;
    const lines = offset === undefined ? undefined : text?.slice(0, offset).split('\n');
    const column = lines && (lines.at(-1) ?? '').length + 1;
    const where = path === undefined ? '' : `${shorten(path)}: `;
    const place = lines ? ` (line ${lines.length}, column ${column})` : '';
    super(`AJSON_${kind.toUpperCase()}`, `${where}${message}${place}`, {
      ...details,
      path: path ?? '$',
    });
    this.kind = kind;
    this.offset = offset;
    this.line = lines?.length;
    this.column = column;
  }
}

/** A message holds an object of a class that is not registered; `className` and `module` name the class. */
export class UnknownClassError extends AjsonError {
  override readonly name = 'UnknownClassError';
  override readonly code = 'UNKNOWN_CLASS';
  /** The name of the class on the wire. */
  readonly className: string;
  /** The module of the class on the wire. */
  readonly module: string;

  constructor(className: string, module: string, details: AjsonErrorDetails = {}) {
    const message = `class ${shown(className)} of module ${shown(module)} is not registered: ajson.register it, or load with { unknown: 'keep' }`;
    super('class', message, details);
    this.className = className;
    this.module = module;
  }
}

/** The middle of a long text left out. */
function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 100)}…${text.slice(-99)}` : text;
}

/** A name from a message, short and without characters that a log would obey. */
export function shown(name: unknown): string {
  return shorten(typeof name !== 'string' || /^[\w.$]+$/.test(name) ? String(name) : quote(name));
}
