import { AlgObject } from '../ajson/AlgObject.ts';
import type { Holder } from '../ajson/rebuild.ts';

/** The name of the class on the wire. `openAjson` registers it, so that this file does not import all of ajson. */
export const storedDataClass = { name: 'StoredData', module: 'algernon.aws.snakes' } as const;

/**
 * A pointer to a stored value, and the value once it has been read.
 *
 * A task that returns a StoredData passes the pointer on, and nothing is stored again. If you make one with a value, the
 * value is stored at its pointer when the StoredData is sent.
 *
 * @example
 * const image = new StoredData({ pointer: 'my-bucket#cache/image!1565012856.447.json' });
 */
export class StoredData extends AlgObject implements Holder {
  /** `bucket#folder/name!timestamp.json` */
  readonly pointer: string;
  /** The parsed value; undefined until it has been read. */
  readonly value: unknown;

  constructor({ pointer, value }: { pointer: string; value?: unknown }) {
    super();
    this.pointer = pointer;
    this.value = value;
  }

  override toJson(): Record<string, unknown> {
    if (unstored && hasUnstoredValue(this)) unstored.add(this);
    return { pointer: this.pointer };
  }

  /** The pointer. */
  override toString(): string {
    return this.pointer;
  }

  static parseJson({ pointer }: Record<string, unknown>): StoredData {
    if (typeof pointer !== 'string') throw new TypeError('a StoredData needs a pointer');
    return new StoredData({ pointer });
  }

  /** A copy with a rebuilt value. Called by `rebuildEvent`. */
  rebuildValue(rebuild: (value: object) => unknown): StoredData {
    if (typeof this.value !== 'object' || this.value === null) return this;
    const value = rebuild(this.value);
    if (value === this.value) return this;
    const rebuilt = new StoredData({ pointer: this.pointer, value });
    return hasUnstoredValue(this) ? rebuilt : markStored(rebuilt);
  }
}

/** The instances whose value is in the store. */
const stored = new WeakSet<StoredData>();

/** Marks the value as stored. Returns its argument. */
export function markStored(data: StoredData): StoredData {
  stored.add(data);
  return data;
}

/** Whether `data` is a StoredData with a value that is not in the store yet. */
export function hasUnstoredValue(data: unknown): data is StoredData {
  return data instanceof StoredData && data.value !== undefined && !stored.has(data);
}

let unstored: Set<StoredData> | undefined;

/**
 * Calls a function that writes a value, and adds each StoredData in it whose value was never stored to `found`. A separate
 * walk would cost as much as writing.
 */
export function collectUnstored<T>(found: Set<StoredData>, write: () => T): T {
  const outer = unstored;
  unstored = found;
  try {
    return write();
  } finally {
    unstored = outer;
  }
}

/** The pointer of a {@link StoredData} without a value, or of its tag; undefined for other values. */
export function pointerIn(value: object): string | undefined {
  if (value instanceof StoredData) return value.value === undefined ? value.pointer : undefined;
  const tag = value as { _alg_class?: unknown; _alg_module?: unknown; value?: unknown };
  const { name, module } = storedDataClass;
  if (tag._alg_class !== name || tag._alg_module !== module || !Object.hasOwn(tag, '_alg_class')) return;
  const fields = (Object.hasOwn(tag, 'value') ? tag.value : undefined) as Record<string, unknown> | undefined;
  const pointer = fields?.pointer ?? fields?._pointer;
  return typeof pointer === 'string' ? pointer : '';
}

/** The ajson of a stored value in a message. */
export function pointerTag(pointer: string): string {
  const { name, module } = storedDataClass;
  return JSON.stringify({ _alg_class: name, _alg_module: module, value: { pointer } });
}
