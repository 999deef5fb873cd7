import { inspect } from 'node:util';

/** How a value is shown in a line: by `JSON.stringify`, or by `util.inspect`. */
export type ShownAs = 'json' | 'text';

/** Something in an object: a property, or an entry of a list, a map or a set. */
export interface Field {
  readonly key: unknown;
  item: unknown;
  /** What is shown of it: as JSON, what its `toJSON` gives. */
  readonly shown: unknown;
  /** What a property is but for its value. */
  readonly descriptor?: PropertyDescriptor;
}

/** What stands in the place of what cannot be read. */
export const unreadable = '[cannot be read]';

/**
 * Reads what is in an object as it would be shown, and no more: `JSON.stringify` calls getters and `toJSON`,
 * `util.inspect` does not, and leaves the rest to objects that show themselves.
 *
 * @param known what `toJSON` gave for other references to an object
 * @returns undefined when it cannot be read, such as a proxy that was revoked
 */
export function readFields(value: object, as: ShownAs, known: Map<object, unknown>): Field[] | undefined {
  try {
    if (ArrayBuffer.isView(value)) return [];
    return as === 'json' ? jsonFields(value, known) : textFields(value);
  } catch {
    return undefined;
  }
}

function jsonFields(value: object, known: Map<object, unknown>): Field[] {
  // Errors are formatted as they are written, and looked into then.
  if (value instanceof Error) return [];
  const fields: Field[] = [];
  for (const key of Object.keys(value)) {
    let item: unknown;
    let shown: unknown = unreadable;
    try {
      item = (value as Record<string, unknown>)[key];
      shown = toJson(item, key, known);
    } catch {
      // What is shown says so.
    }
    // JSON has no functions, and a `toJSON` has been called.
    if (typeof item !== 'function' || Array.isArray(value)) fields.push({ key, item, shown });
  }
  return fields;
}

function toJson(item: unknown, key: string, known: Map<object, unknown>): unknown {
  if (typeof item !== 'object' || item === null || ArrayBuffer.isView(item)) return item;
  const { toJSON } = item as { toJSON?: unknown };
  if (typeof toJSON !== 'function') return item;
  if (!known.has(item)) known.set(item, toJSON.call(item, key));
  return known.get(item);
}

function textFields(value: object): Field[] {
  const entry = ([key, item]: [unknown, unknown]): Field => ({ key, item, shown: item });
  if (Array.isArray(value)) return value.map((item, key) => entry([key, item]));
  if (value instanceof Map || value instanceof Headers) return [...value].map(entry);
  if (value instanceof Set) return [...value].map((item) => entry([undefined, item]));
  if (typeof (value as Record<symbol, unknown>)[inspect.custom] === 'function') return [];
  const isError = value instanceof Error;
  return Reflect.ownKeys(value).flatMap((key): Field[] => {
    const descriptor = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor;
    if (!descriptor.enumerable && !isError) return [];
    // The stack is an accessor, which works on the error alone.
    const isStack = isError && key === 'stack';
    const item = isStack ? value.stack : descriptor.value;
    return [
      { key, item, shown: item, descriptor: isStack ? { enumerable: false, value: item } : descriptor },
    ];
  });
}

/** An object of the same kind, for the fields to be put into. */
export function emptyLike(value: object, as: ShownAs): object {
  if (Array.isArray(value)) return [];
  if (value instanceof Map) return new Map();
  if (value instanceof Set) return new Set();
  if (value instanceof Headers) return new Headers();
  if (as === 'json') return {};
  // Only what was made as an error is shown as one everywhere.
  const made = value instanceof Error ? new Error() : {};
  return Object.setPrototypeOf(made, Object.getPrototypeOf(value));
}

/** Puts a field into what {@link emptyLike} gave. */
export function putField(copy: object, { key, descriptor }: Field, value: unknown): void {
  if (Array.isArray(copy)) copy[key as number] = value;
  else if (copy instanceof Map) copy.set(key, value);
  else if (copy instanceof Set) copy.add(value);
  else if (copy instanceof Headers) copy.append(key as string, value as string);
  else {
    const { get, set, enumerable = true } = descriptor ?? {};
    const content = get || set ? { get, set } : { value, writable: true };
    const property = { ...content, enumerable, configurable: true } as PropertyDescriptor;
    Object.defineProperty(copy, key as PropertyKey, property);
  }
}
