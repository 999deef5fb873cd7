import * as types from 'node:util/types';
import { cutStack, isError } from './errorText.ts';
import { inspect } from './nodeUtil.ts';

/** The format of a value in a line: that of `JSON.stringify`, or of `util.inspect`. */
export type ShownAs = 'json' | 'text';

/** A property, or an entry of a list, a map or a set. */
export interface Field {
  readonly key: unknown;
  readonly item: unknown;
  /** The descriptor of a property that `util.inspect` shows. */
  readonly descriptor?: PropertyDescriptor;
}

export interface Fields {
  readonly fields: Field[];
  /** How many fields were not read. */
  readonly rest: number;
}

/** Shown instead of a value that throws when it is read. */
export const unreadable = '[unreadable]';

/** The maximum number of fields of an object. For text it is the number of list items that `util.inspect` shows. */
const maxFields = { json: 1000, text: 100 } as const;
/** The copy of a list up to this length keeps the length, so that `util.inspect` can count the items it omits. */
const maxLength = 10_000;
/** How many errors of an AggregateError are shown. */
const maxErrors = 10;
/**
 * Reads the fields of an object that would be shown, up to a limit. `JSON.stringify` calls getters, `util.inspect` does not.
 *
 * @throws the error of a proxy
 */
export function readFields(value: object, as: ShownAs): Fields {
  const limit = maxFields[as];
  if (Array.isArray(value)) return as === 'json' ? listItems(value, limit) : shownItems(value, limit);
  // One less in text, since the marker for the rest is also an entry.
  const entries = as === 'json' ? limit : limit - 1;
  if (value instanceof Map) return readEntries(value, value.size, entries);
  if (value instanceof Set) return readEntries(unkeyed(value), value.size, entries);
  if (as === 'json') return properties(value, limit);
  if (value instanceof Headers) return readEntries(value, 0, entries);
  return describedProperties(value, limit);
}

function listItems(list: readonly unknown[], limit: number): Fields {
  const shown = Math.min(list.length, limit);
  const fields = Array.from({ length: shown }, (_, key) => readField(list, key));
  return { fields, rest: list.length - shown };
}

/** In text, a short list also shows its holes and its named properties, such as `index` of a regular expression match. */
function shownItems(list: readonly unknown[], limit: number): Fields {
  if (list.length > maxLength) return listItems(list, limit - 1);
  let dense = 0;
  while (dense < Math.min(list.length, limit) && dense in list) dense += 1;
  const keys = dense === limit ? [] : Object.keys(list).slice(dense, dense + limit);
  const all = [...Array.from({ length: dense }, (_, key) => key), ...keys];
  return { fields: all.map((key) => readField(list, key)), rest: 0 };
}

function readEntries(entries: Iterable<[unknown, unknown]>, size: number, limit: number): Fields {
  const fields: Field[] = [];
  for (const [key, item] of entries) {
    if (fields.length === limit) break;
    fields.push({ key, item });
  }
  return { fields, rest: Math.max(0, size - fields.length) };
}

function* unkeyed(values: Iterable<unknown>): Iterable<[undefined, unknown]> {
  for (const value of values) yield [undefined, value];
}

function properties(value: object, limit: number): Fields {
  const keys = Object.keys(value);
  const fields = keys.slice(0, limit).map((key) => readField(value, key));
  return { fields, rest: Math.max(0, keys.length - limit) };
}

function readField(value: object, key: string | number): Field {
  try {
    return { key, item: (value as Record<string, unknown>)[key] };
  } catch {
    return { key, item: unreadable };
  }
}

function describedProperties(value: object, limit: number): Fields {
  const ofError = isError(value);
  const keys = ofError
    ? Reflect.ownKeys(value)
    : [...Object.keys(value), ...Object.getOwnPropertySymbols(value)];
  const fields: Field[] = [];
  let read = 0;
  for (const key of keys) {
    if (fields.length === limit) break;
    read += 1;
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    if (!descriptor || (!descriptor.enumerable && !ofError)) continue;
    fields.push(
      ofError ? errorProperty(value, key, descriptor) : { key, item: descriptor.value, descriptor },
    );
  }
  return { fields, rest: keys.length - read };
}

function errorProperty(error: Error, key: string | symbol, descriptor: PropertyDescriptor): Field {
  // The stack may be an accessor that does not work on a copy.
  if (key === 'stack') return { key, item: stackOf(error), descriptor: { enumerable: false, value: '' } };
  if (key === 'errors' && Array.isArray(descriptor.value)) {
    return { key, item: firstErrors(descriptor.value), descriptor: { enumerable: false, value: '' } };
  }
  return { key, item: descriptor.value, descriptor };
}

/** An error's fields as Powertools' formatter shows them, and the errors of an AggregateError. */
export function readError(error: Error, locate: (stack: string) => string): Fields {
  const stack = stackOf(error);
  const read = (key: string) => readField(error, key).item;
  const isInLines = /^(?:1|y|yes|t|true|on)$/i.test(process.env.POWERTOOLS_DEV ?? '');
  const fields: Field[] = [
    { key: 'name', item: read('name') },
    { key: 'location', item: stack === undefined ? '' : locate(stack) },
    { key: 'message', item: read('message') },
    { key: 'stack', item: isInLines ? stack?.split('\n') : stack },
    { key: 'cause', item: read('cause') },
  ];
  const errors = read('errors');
  if (error instanceof AggregateError && Array.isArray(errors)) {
    fields.push({ key: 'errors', item: firstErrors(errors) });
  }
  const own = properties(error, maxFields.json);
  fields.push(...own.fields.filter(({ key }) => !fields.some((field) => field.key === key)));
  return { fields, rest: own.rest };
}

function firstErrors(errors: readonly unknown[]): unknown[] {
  const shown: unknown[] = errors.slice(0, maxErrors);
  if (errors.length > maxErrors) shown.push(`… ${errors.length - maxErrors} more errors`);
  return shown;
}

function stackOf(error: Error): string | undefined {
  const { item: stack } = readField(error, 'stack');
  const { item: message } = readField(error, 'message');
  if (typeof stack !== 'string') return undefined;
  return cutStack(stack, typeof message === 'string' ? message : '');
}

/** Whether `util.inspect` shows more than the fields of an object, so that a copy would look different. */
export function isOpaque(value: object): boolean {
  return (
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isPromise(value) ||
    types.isBoxedPrimitive(value) ||
    types.isAnyArrayBuffer(value) ||
    ArrayBuffer.isView(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value) ||
    types.isGeneratorObject(value) ||
    types.isMapIterator(value) ||
    types.isSetIterator(value) ||
    types.isExternal(value) ||
    types.isModuleNamespaceObject(value) ||
    (typeof (value as Record<symbol, unknown>)[inspect.custom] === 'function' && !(value instanceof Headers))
  );
}

/** An empty object of the same kind, to which fields can be added. */
export function emptyLike(value: object, as: ShownAs): object {
  if (as === 'json') {
    if (Array.isArray(value)) return [];
    if (value instanceof Map) return new Map();
    if (value instanceof Set) return new Set();
    return {};
  }
  if (value instanceof Headers) return new Headers();
  return Object.setPrototypeOf(emptyShown(value), Object.getPrototypeOf(value));
}

function emptyShown(value: object): object {
  if (Array.isArray(value)) return Object.assign([], { length: value.length > maxLength ? 0 : value.length });
  if (value instanceof Map) return new Map();
  if (value instanceof Set) return new Set();
  if (typeof value === 'function') return Object.defineProperty(() => {}, 'name', { value: value.name });
  // Only a real error is shown as an error everywhere.
  return isError(value) ? new Error() : {};
}

/** Adds a field to an object of {@link emptyLike}. */
export function putField(copy: object, { key, descriptor }: Field, value: unknown): void {
  if (copy instanceof Map) copy.set(key, value);
  else if (copy instanceof Set) copy.add(value);
  else if (copy instanceof Headers) copy.append(key as string, value as string);
  else if (!descriptor && key !== '__proto__') (copy as Record<PropertyKey, unknown>)[key as string] = value;
  else {
    const { get, set, enumerable = true } = descriptor ?? {};
    const content = get || set ? { get, set } : { value, writable: true };
    const property = { ...content, enumerable, configurable: true } as PropertyDescriptor;
    Object.defineProperty(copy, key as PropertyKey, property);
  }
}

/** Marks in a copy that fields are missing. */
export function putRest(copy: object, words: string): void {
  if (Array.isArray(copy)) copy.push(`… ${words}`);
  else if (copy instanceof Map) copy.set('…', words);
  else if (copy instanceof Set) copy.add(`… ${words}`);
  else if (!(copy instanceof Headers)) putField(copy, { key: '…', item: words }, words);
}
