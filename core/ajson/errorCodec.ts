import type { Fields } from './AlgObject.ts';
import { assertDepth, fail, pathOf } from './ErrorPath.ts';
import { define, formOf, isPlainList } from './isPlain.ts';
import { fieldsToWire, toWire, type Writing } from './write.ts';

type AnyError = Error & Record<string, unknown>;

/** The built-in classes of errors. */
const BUILT_IN = /^((Aggregate|Eval|Range|Reference|Suppressed|Syntax|Type|URI)?Error|DOMException)$/;
/** Members of errors that are not enumerable. */
const HIDDEN = ['cause', 'errors', 'error', 'suppressed', 'code'];

const WRONG = 'an Error has an object as fields, and a text as name and message';

/**
 * The value of the tag of any error: its built-in class, its own name, and all but the stack. An own field that cannot be written,
 * such as the socket of a request, is left out, so that the error itself is not lost.
 */
export function writeError(error: AnyError, writing: Writing, depth: number): Fields {
  assertDepth(depth + 1, writing.settings.maxDepth);
  const fields: Fields = {};
  const name = builtInName(error);
  const ownName = textOf(error.name);
  const held: Fields = { name, fields, message: textOf(error.message) || undefined };
  for (const key of Object.keys(error)) {
    if (key === 'message' || isReserved(key)) continue;
    const wire = key === 'name' ? ownName : fieldToWire(error[key], writing, depth + 2);
    if (wire !== undefined) define(fields, key, wire, true);
  }
  if (ownName !== name && !Object.hasOwn(fields, 'name')) held['ownName'] = ownName;
  const hidden: Fields = {};
  for (const key of HIDDEN)
    if (Object.hasOwn(error, key) && !Object.hasOwn(fields, key) && error[key] !== undefined)
      define(hidden, key, error[key], true);
  return { ...held, ...fieldsToWire(writing, hidden, depth) };
}

/** A field of an error, or undefined if it cannot be written. A cycle fails all the same: it may be long to follow. */
function fieldToWire(value: unknown, writing: Writing, depth: number): unknown {
  const { length } = writing.numbers;
  try {
    return value === undefined ? value : toWire(writing, value, depth);
  } catch (error) {
    if (pathOf(error).toError().kind === 'depth') throw error;
    writing.numbers.length = length;
    return undefined;
  }
}

/** The error of a tag. Its stack is that of the reading; a tag sets neither that nor methods. */
export function readError({ name, fields = {}, message, ownName, ...hidden }: Fields): Error {
  if (typeof name !== 'string' || !BUILT_IN.test(name))
    fail('tag', 'the name of an Error must be a built-in one');
  if (formOf(fields) !== 'an object' || !isText(message) || !isText(ownName)) fail('tag', WRONG);
  const error = newError(name, message, ownName);
  if (ownName !== undefined && error.name !== ownName) define(error, 'name', ownName, false);
  for (const key of HIDDEN) if (Object.hasOwn(hidden, key)) define(error, key, hidden[key], false);
  if (name === 'AggregateError' && !isPlainList(error['errors'])) fail('tag', 'its errors must be a list');
  for (const [key, value] of Object.entries(fields as Fields)) {
    if ((key === 'name' || key === 'message') && typeof value !== 'string') fail('tag', WRONG);
    if (!isReserved(key)) define(error, key, value, true);
  }
  return error;
}

/** An engine may lack SuppressedError. */
function newError(name: string, message?: string, ownName?: string): AnyError {
  const args: Readonly<Record<string, unknown[]>> = {
    DOMException: [message, ownName],
    SuppressedError: [undefined, undefined, message],
    AggregateError: [[], message],
  };
  const Type = (globalThis as Fields)[name] ?? Error;
  return Reflect.construct(Type as ErrorConstructor, args[name] ?? [message]);
}

/** The name of the built-in class that is nearest. */
function builtInName(error: object): string {
  for (let proto = Object.getPrototypeOf(error); proto; proto = Object.getPrototypeOf(proto)) {
    const name: unknown = proto.constructor?.name;
    if (typeof name === 'string' && BUILT_IN.test(name)) return name;
  }
  return 'Error';
}

/** The stack, and the names of the methods of every error. */
function isReserved(key: string): boolean {
  return key === 'stack' || typeof Error.prototype[key as keyof Error] === 'function';
}

function isText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

/** A name or message as a text; some code assigns objects. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
