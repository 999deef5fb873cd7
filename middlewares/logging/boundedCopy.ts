import { isProxy } from 'node:util/types';
import { cut, errorInShort, isError, maxMessage } from './errorText.ts';
import { inspect } from './nodeUtil.ts';
import {
  emptyLike,
  type Field,
  type Fields,
  isOpaque,
  putField,
  putRest,
  readError,
  readFields,
  type ShownAs,
  unreadable,
} from './readFields.ts';
import { cutRedacted, isSecret, redacted, redactText } from './secrets.ts';

/** The limits of a value in one line: characters, keys and punctuation included, and levels of nesting. */
const limits = {
  json: { characters: 49_152, depth: 20 },
  text: { characters: 12_288, depth: 6 },
} as const;
/** A separate limit for the names, messages and stacks of errors, in characters. */
const errorShare = 16_384;
const maxString = 8192;
const maxKey = 256;
/** The cost of an object without its fields: braces, and the marker for fields that are not shown. */
const objectCost = 24;

/** An object whose fields have not been copied yet. */
interface Pending {
  readonly source: object;
  readonly copy: object;
  readonly parent: Pending | undefined;
  readonly depth: number;
  /** Whether it is the value of a key that names a secret. */
  readonly isSecret: boolean;
}

export interface BoundedCopyOptions {
  /** The format in which the value will be shown. Default: `json`. */
  as?: ShownAs;
  /** Reads the fields of an error for JSON. */
  toFields?: (error: Error) => Fields;
}

/**
 * Copies a value for a log line: without secrets, and within the limits of a line. The cost depends on the size of the
 * copy, not of the value. Objects near the root come first. Names, messages and stacks of errors have a separate limit,
 * so that a line keeps its stack and its causes. Omitted parts are marked. Never throws, and does not change the value.
 */
export function boundedCopy(value: unknown, options: BoundedCopyOptions = {}): unknown {
  const { as = 'json', toFields = (error) => readError(error, () => '') } = options;
  const limit = limits[as];
  const left = { other: limit.characters as number, error: errorShare };
  const queue: Pending[] = [];
  const shownErrors = new Set<object>();
  const fieldsBySource = new Map<object, Fields>();

  /** The value as it is shown. The fields of an object are copied later. */
  const show = (item: unknown, key: unknown, parent: Pending | undefined): unknown => {
    try {
      // An object is kept, and its parts are redacted.
      const isHidden = isSecret(key, item, parent?.isSecret);
      if (isHidden && !hasFields(item, as)) return pay(redacted);
      if (typeof item === 'string') return showString(item, key, parent);
      return hasFields(item, as) ? showObject(item, key, parent, isHidden) : pay(showOther(item));
    } catch {
      return pay(unreadable);
    }
  };

  const showString = (text: string, key: unknown, parent: Pending | undefined) => {
    const share = shareOf(key, parent);
    const most = Math.min(key === 'message' && share === 'error' ? maxMessage : maxString, left[share]);
    const shown = cutRedacted(text, most);
    const cost = costOf(shown);
    if (cost <= left[share]) return pay(shown, share, cost);
    // JSON escapes some characters, so the text is cut further.
    return pay(cutRedacted(text, Math.floor((most * left[share]) / cost)), share, left[share]);
  };

  const showObject = (
    item: object,
    key: unknown,
    parent: Pending | undefined,
    isHidden: boolean,
  ): unknown => {
    const source = as === 'json' ? jsonValue(item, key) : item;
    if (!hasFields(source, as)) return show(source, isHidden ? key : undefined, parent);
    if (as === 'text' && isOpaque(source)) return pay(source);
    // Throws if the proxy cannot be read.
    if (isProxy(source)) Reflect.ownKeys(source);
    const ofError = isError(source);
    for (let around = parent; around; around = around.parent) {
      if (around.source !== source) continue;
      if (as === 'text') return around.copy;
      return ofError ? showAgain(source) : pay('[circular]');
    }
    if (ofError && shownErrors.has(source)) return showAgain(source);
    const depth = parent ? parent.depth + 1 : 0;
    if (depth > limit.depth) return pay('[truncated]');
    const pending = { source, copy: emptyLike(source, as), parent, depth, isSecret: isHidden };
    if (ofError) shownErrors.add(source);
    queue.push(pending);
    return pay(pending.copy, ofError ? 'error' : 'other', objectCost);
  };

  const showAgain = (error: Error) => {
    const { name, message } = errorInShort(error);
    const short = { name, message: redactText(message) };
    const cost = objectCost + name.length + message.length;
    return pay(as === 'json' ? short : `[${short.name}: ${short.message}]`, 'error', cost);
  };

  const pay = <T>(shown: T, share: keyof typeof left = 'other', cost = costOf(shown)): T => {
    left[share] -= cost;
    return shown;
  };

  const fill = (pending: Pending) => {
    const { source, copy } = pending;
    const ofError = isError(source);
    if (left[ofError ? 'error' : 'other'] <= 0) return putRest(copy, 'truncated');
    const toFieldsOf = () => (as === 'json' && ofError ? toFields(source) : readFields(source, as));
    const read = fieldsBySource.get(source) ?? attempt(toFieldsOf);
    if (!read) return putRest(copy, unreadable);
    fieldsBySource.set(source, read);
    let { rest } = read;
    for (const field of read.fields) {
      const share = isError(field.item) ? 'error' : shareOf(field.key, pending);
      if (left[share] <= 0) rest += 1;
      else attempt(() => fillField(field, pending, share, keyOf(field, read.fields)));
    }
    if (rest > 0) putRest(copy, rest === read.rest + read.fields.length ? 'truncated' : `${rest} more`);
  };

  const fillField = (field: Field, pending: Pending, share: keyof typeof left, name: unknown) => {
    const { copy } = pending;
    const key = typeof field.key === 'string' ? cut(field.key, maxKey) : field.key;
    left[share] -= typeof key === 'string' ? key.length + 4 : 1;
    const shownKey = copy instanceof Map && typeof key === 'object' ? show(key, undefined, pending) : key;
    const shown = show(field.item, name, pending);
    putField(copy, { ...field, key: shownKey }, shown);
  };

  const shown = show(value, undefined, undefined);
  // The queue grows during the loop. Objects near the root come first.
  for (const pending of queue) fill(pending);
  return shown;
}

const ofErrors = new Set<unknown>(['name', 'location', 'message', 'stack']);

function shareOf(key: unknown, parent: Pending | undefined): 'other' | 'error' {
  return ofErrors.has(key) && isError(parent?.source) ? 'error' : 'other';
}

/** The key of a field. In `{ name: 'password', value: '…' }`, as in lists of headers, the key of the value is `password`. */
function keyOf({ key }: Field, fields: readonly Field[]): unknown {
  if (key !== 'value' && key !== 'Value') return key;
  const isName = (field: Field) =>
    /^(?:name|key)$/i.test(String(field.key)) && typeof field.item === 'string';
  return fields.find(isName)?.item ?? key;
}

/** Whether a line shows the fields of a value. */
function hasFields(value: unknown, as: ShownAs): value is object {
  if (typeof value === 'function') return as === 'text' && Object.keys(value).length > 0;
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);
}

/** A value without fields: bytes are shortened by `util.inspect`, since JSON would list all of them. */
function showOther(value: unknown): unknown {
  return ArrayBuffer.isView(value) ? inspect(value, { maxArrayLength: 32 }) : value;
}

/** The value that JSON shows for an object, such as the result of its `toJSON`. */
function jsonValue(value: object, key: unknown): unknown {
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return toJSON.call(value, String(key ?? ''));
  return value instanceof Number || value instanceof String || value instanceof Boolean
    ? value.valueOf()
    : value;
}

function costOf(shown: unknown): number {
  if (typeof shown === 'string') {
    return 2 + (/["\\\p{Cc}]/u.test(shown) ? JSON.stringify(shown).length : shown.length);
  }
  return typeof shown === 'bigint' ? 64 : 5;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
