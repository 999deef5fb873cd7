import type { Fields } from './AlgObject.ts';
import { assertDepth, fail, pathAt, pathOf } from './ErrorPath.ts';
import { define, formOf, isPlainList } from './isPlain.ts';
import { toWire, type Writing } from './write.ts';

type AnyError = Error & Record<string, unknown>;

/** The built-in classes of errors; an engine may lack the last ones. */
const NAMES = [
  ...['Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError'],
  ...['AggregateError', 'SuppressedError', 'DOMException'],
];
/** Members of errors that are not enumerable. */
const HIDDEN = ['cause', 'errors', 'error', 'suppressed', 'code'];

/**
 * The tag of any error: its built-in class, its own name, and all but the stack. An own field that cannot be written,
 * such as the socket of a request, is left out, so that the error itself is not lost.
 */
export function writeError(error: AnyError, writing: Writing, depth: number): unknown {
  assertDepth(depth + 2, writing.settings.maxDepth);
  const [name, ownName, message] = [builtInName(error), textOf(error.name), textOf(error.message)];
  const fields: Fields = {};
  const held: Fields = { name, fields };
  for (const key of Object.keys(error)) {
    if (key === 'message' || isReserved(key)) continue;
    const wire = key === 'name' ? ownName : fieldToWire(error[key], writing, depth + 3);
    if (wire !== undefined) define(fields, key, wire, true);
  }
  if (message) define(held, 'message', message, true);
  if (ownName !== name && !Object.hasOwn(fields, 'name')) define(held, 'ownName', ownName, true);
  for (const key of HIDDEN) {
    if (!Object.hasOwn(error, key) || Object.hasOwn(fields, key) || error[key] === undefined) continue;
    try {
      define(held, key, toWire(writing, error[key], depth + 2), true);
    } catch (failure) {
      throw pathAt(failure, key);
    }
  }
  return { _alg_class: 'Error', value: held };
}

/** A field of an error, or undefined if it cannot be written. A cycle fails all the same: it may be long to follow. */
function fieldToWire(value: unknown, writing: Writing, depth: number): unknown {
  const { nan, tags, hashing, numbers } = writing;
  const { length } = numbers;
  try {
    return value === undefined ? value : toWire(writing, value, depth);
  } catch (error) {
    if (pathOf(error).toError().kind === 'depth') throw error;
    Object.assign(writing, { nan, tags, hashing });
    numbers.length = length;
    return undefined;
  }
}

/** The error of a tag. Its stack is that of the reading; a tag sets neither that nor methods. */
export function readError({ name, fields = {}, message, ownName, ...hidden }: Fields): Error {
  if (!NAMES.includes(name as string)) fail('tag', 'the name of an Error must be that of a built-in class');
  if (!isText(message) || !isText(ownName) || formOf(fields) !== 'an object')
    fail('tag', 'an Error has a text as message and as name, and an object as fields');
  const error = newError(name as string, message, ownName, hidden['errors']);
  if (ownName !== undefined && error.name !== ownName) define(error, 'name', ownName, false);
  for (const key of HIDDEN)
    if (key !== 'errors' || name !== 'AggregateError')
      if (Object.hasOwn(hidden, key)) define(error, key, hidden[key], false);
  for (const [key, value] of Object.entries(fields as Fields)) {
    if ((key === 'name' || key === 'message') && typeof value !== 'string')
      fail('tag', `the ${key} of an Error must be a text`);
    if (!isReserved(key)) define(error, key, value, true);
  }
  return error;
}

function newError(name: string, message?: string, ownName = 'Error', errors: unknown = []): Error {
  const Type: unknown = (globalThis as Fields)[name];
  if (typeof Type !== 'function') return new Error(message);
  if (name === 'DOMException') return new DOMException(message, ownName);
  if (name === 'AggregateError')
    return new AggregateError(
      isPlainList(errors) ? errors : fail('tag', 'its errors must be a list'),
      message,
    );
  return Reflect.construct(Type, name === 'SuppressedError' ? [undefined, undefined, message] : [message]);
}

/** The name of the built-in class that is nearest. */
function builtInName(error: object): string {
  for (let proto: unknown = error; proto; proto = Object.getPrototypeOf(proto)) {
    const type: unknown = Object.hasOwn(proto, 'constructor') ? (proto as object).constructor : undefined;
    if (typeof type === 'function' && NAMES.includes(type.name)) return type.name;
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
