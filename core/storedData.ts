import { AlgObject } from './ajson/AlgObject.ts';
import { ajson } from './ajson/ajson.ts';
import { PointerError, StoredDataBodyError } from './errors.ts';

const wireName = 'StoredData';
const wireModule = 'algernon.aws.snakes';

/** Where a stored value lies. */
export interface ObjectAddress {
  bucket: string;
  key: string;
}

export interface ReadOptions {
  /** Called with the object's size in bytes before it is read; throws to refuse it. */
  admit(bytes: number): void;
  signal?: AbortSignal | undefined;
}

/** What keeps stored values: S3, on AWS. Fails with a `StoredDataError` that says why. */
export interface ObjectStore {
  get(address: ObjectAddress, options: ReadOptions): Promise<string>;
  put(address: ObjectAddress, text: string, options?: { signal?: AbortSignal | undefined }): Promise<void>;
}

/**
 * A pointer to a value in S3, and the value, once it has been read.
 *
 * A task that returns one sends the pointer on as it is, and nothing is stored again.
 *
 * @example
 * const image = new StoredData({ pointer: 'my-bucket#cache/image!1565012856.447.json' });
 */
export class StoredData extends AlgObject {
  /** `bucket#folder/name!timestamp.json` */
  readonly pointer: string;
  /** The value, parsed; undefined until it has been read. */
  readonly value: unknown;

  constructor({ pointer, value }: { pointer: string; value?: unknown }) {
    super();
    this.pointer = pointer;
    this.value = value;
  }

  override toJson(): Record<string, unknown> {
    return { pointer: this.pointer };
  }

  static parseJson({ pointer }: Record<string, unknown>): StoredData {
    if (typeof pointer !== 'string') throw new PointerError('$');
    return new StoredData({ pointer });
  }

  static {
    ajson.register(this, { name: wireName, module: wireModule });
  }
}

/** The pointer in a value that is one: a {@link StoredData} that was not read yet, or its tag. Else undefined. */
export function pointerIn(value: object): string | undefined {
  if (value instanceof StoredData) return value.value === undefined ? value.pointer : undefined;
  const tag = value as { _alg_class?: unknown; _alg_module?: unknown; value?: unknown };
  if (!Object.hasOwn(tag, '_alg_class') || tag._alg_class !== wireName || tag._alg_module !== wireModule)
    return;
  const fields = (Object.hasOwn(tag, 'value') ? tag.value : undefined) as Record<string, unknown> | undefined;
  const pointer = fields?.pointer ?? fields?._pointer;
  return typeof pointer === 'string' ? pointer : '';
}

/** The ajson that stands for a stored value on the wire. */
export function pointerTag(pointer: string): string {
  return JSON.stringify({ _alg_class: wireName, _alg_module: wireModule, value: { pointer } });
}

const pointerForm = /^([^#!/]+)#([^#!/]+)\/([^#!/]+)!(\d+(?:\.\d+)?)\.json$/;

/**
 * Takes a pointer apart.
 *
 * @param path where in the message the pointer stands, for the error
 * @throws PointerError when it is not of the form `bucket#folder/name!timestamp.json`
 */
export function parsePointer(pointer: string, path = '$'): ObjectAddress {
  const parts = pointerForm.exec(pointer);
  const [, bucket, folder, name, timestamp] = parts ?? [];
  if (bucket === undefined || folder === undefined || !isFolderName(folder)) throw new PointerError(path);
  return { bucket, key: `${folder}/${name}!${timestamp}.json` };
}

/** Whether a folder may have this name: without the characters that take a pointer apart, and no way up. */
export function isFolderName(name: string): boolean {
  return /^[^#!/]+$/.test(name) && name !== '.' && name !== '..';
}

export interface PointerParts {
  bucket: string;
  folder: string;
  /** May hold any character; those that would take the pointer apart become `_`. */
  name: string;
  /** Milliseconds since 1970. */
  timestamp: number;
}

/** Puts a pointer together. Equal parts give an equal pointer, so a task that runs twice writes one object. */
export function formatPointer({ bucket, folder, name, timestamp }: PointerParts): string {
  const seconds = `${Math.floor(timestamp / 1000)}.${String(timestamp % 1000).padStart(3, '0')}`;
  return `${bucket}#${folder}/${name.replace(/[^\w.-]/g, '_').slice(0, 512)}!${seconds}.json`;
}

/** What lies in S3 behind a pointer. */
export interface StoredBody {
  value: unknown;
  /** Whether who reads the pointer gets the value in its place. */
  fullUnpack: boolean;
  /** Whether the value is only to be parsed, and nothing in it rebuilt. */
  safeMode: boolean;
}

/** The text of a stored object around a value that is ajson already. */
export function formatStoredBody(text: string): string {
  return `{"data_string":${text},"full_unpack":true,"safe_mode":false}`;
}

/** @throws StoredDataBodyError when the text is not what a stored object holds */
export function parseStoredBody(text: string, pointer: string): StoredBody {
  let body: unknown;
  try {
    body = ajson.raw(text);
  } catch (error) {
    throw new StoredDataBodyError(pointer, 'it is not JSON', error);
  }
  const { data_string: value, full_unpack: fullUnpack, safe_mode: safeMode = false } = Object(body);
  if (value === undefined) throw new StoredDataBodyError(pointer, 'data_string is missing');
  if (typeof fullUnpack !== 'boolean' || typeof safeMode !== 'boolean') {
    throw new StoredDataBodyError(pointer, 'full_unpack or safe_mode is no boolean');
  }
  return { value, fullUnpack, safeMode };
}
