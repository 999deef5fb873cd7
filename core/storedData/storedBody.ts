import { raw } from '../ajson/raw.ts';
import { StoredDataError, shown } from './StoredDataError.ts';

/** The flags of a stored value for its readers. */
export interface BodyOptions {
  /** Whether a reader gets the value itself. If false, it gets a `StoredData` that holds the value. Default true. */
  fullUnpack?: boolean | undefined;
  /** Whether readers only parse the value, without rebuilding classes. Default false. */
  safeMode?: boolean | undefined;
}

/** The content of a stored object. */
export interface StoredBody extends Required<BodyOptions> {
  value: unknown;
}

/** The pieces of the text of a stored object. `text` is the value in ajson. */
export function formatStoredBody(
  text: string,
  { fullUnpack = true, safeMode = false }: BodyOptions = {},
): readonly string[] {
  return ['{"data_string":', text, `,"full_unpack":${fullUnpack},"safe_mode":${safeMode}}`];
}

/** The same around a value that is in pieces itself. They are taken once. */
export function* streamStoredBody(pieces: Iterable<string>, options?: BodyOptions): Iterable<string> {
  const [opening = '', , closing = ''] = formatStoredBody('', options);
  yield opening;
  yield* pieces;
  yield closing;
}

/** @throws StoredDataError `STORED_DATA_BODY` when the text is not a stored value */
export function parseStoredBody(text: string, pointer: string): StoredBody {
  const fail = (reason: string, cause?: unknown) => {
    throw new StoredDataError('STORED_DATA_BODY', `${shown(pointer)} is not a stored value: ${reason}.`, {
      cause,
    });
  };
  let body: unknown;
  try {
    body = raw(text);
  } catch (error) {
    fail('it is not JSON', error);
  }
  const { data_string: value, full_unpack: fullUnpack, safe_mode: safeMode = false } = Object(body);
  if (value === undefined) fail('data_string is missing');
  if (typeof fullUnpack !== 'boolean' || typeof safeMode !== 'boolean') {
    fail('full_unpack or safe_mode is not a boolean');
  }
  return { value, fullUnpack, safeMode };
}
