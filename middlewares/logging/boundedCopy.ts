import { inspect } from 'node:util';
import { isProxy } from 'node:util/types';
import { cut, errorInShort, isError, maxMessage } from './errorText.ts';
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

/** How much of a value one line shows: characters with keys and punctuation, and levels of objects in objects. */
const limits = {
  json: { characters: 49_152, depth: 20 },
  text: { characters: 12_288, depth: 6 },
} as const;
/** The share of names, messages and stacks of errors, which nothing else uses. */
const errorShare = 16_384;
const maxString = 8192;
const maxKey = 256;
/** The cost of an object without its fields: the braces, and the marker if none of its fields is shown. */
const objectCost = 24;

/** An object whose fields are not copied yet. */
interface Pending {
  readonly source: object;
  readonly copy: object;
  readonly parent: Pending | undefined;
  readonly depth: number;
  /** Whether it is the value of a key that names a secret. */
  readonly isSecret: boolean;
}

export interface BoundedCopyOptions {
  /** How the value will be shown. Default: `json`. */
  as?: ShownAs;
  /** Reads the fields of an error for JSON. */
  toFields?: (error: Error) => Fields;
}

/**
 * Copies a value for a log line: without secrets, and no larger than a line may be. The work depends on what is shown, not
 * on the size of the value. Objects near the root come first. Names, messages and stacks of errors have a separate share,
 * so a line keeps its stack and its causes. Missing parts are marked. Never throws, and changes nothing in place.
 */
export function boundedCopy(value: unknown, options: BoundedCopyOptions = {}): unknown {
  const { as = 'json', toFields = (error) => readError(error, () => '') } = options;
  const limit = limits[as];
  const left = { other: limit.characters as number, error: errorShare };
  const queue: Pending[] = [];
  const shownErrors = new Set<object>();
  const known = new Map<object, Fields>();

  /** The value as it is shown. The fields of an object follow later. */
  const show = (item: unknown, key: unknown, parent: Pending | undefined): unknown => {
    try {
      // An object stays, with its parts redacted.
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
    // Characters that JSON escapes.
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
    // Throws where the proxy cannot be read.
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
    const read = known.get(source) ?? attempt(toFieldsOf);
    if (!read) return putRest(copy, unreadable);
    known.set(source, read);
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
  // More are added on the way: objects near the root come first.
  for (const pending of queue) fill(pending);
  return shown;
}

const ofErrors = new Set<unknown>(['name', 'location', 'message', 'stack']);

function shareOf(key: unknown, parent: Pending | undefined): 'other' | 'error' {
  return ofErrors.has(key) && isError(parent?.source) ? 'error' : 'other';
}

/** The key of a field. That of `{ name: 'password', value: '…' }`, as in lists of variables and headers, is its name. */
function keyOf({ key }: Field, fields: readonly Field[]): unknown {
  if (key !== 'value' && key !== 'Value') return key;
  const isName = (field: Field) =>
    /^(?:name|key)$/i.test(String(field.key)) && typeof field.item === 'string';
  return fields.find(isName)?.item ?? key;
}

/** Whether a value has fields that a line shows. */
function hasFields(value: unknown, as: ShownAs): value is object {
  if (typeof value === 'function') return as === 'text' && Object.keys(value).length > 0;
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);
}

/** A value without fields: bytes are shown as `util.inspect` does, since JSON would list them all. */
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
