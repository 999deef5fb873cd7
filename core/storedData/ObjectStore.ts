/** The location of a stored value. */
export interface ObjectAddress {
  /** The name of the bucket. */
  bucket: string;
  /** The key of the object. */
  key: string;
}

/** How an object is read. */
export interface ReadOptions {
  /** Called with the size in bytes before an object is read, or with that of each piece if the size is unknown. May throw. */
  admit(bytes: number): void;
  /** Aborts the reading. */
  signal?: AbortSignal | undefined;
}

/** Reads and writes stored values. Fails with a `StoredDataError`. */
export interface ObjectStore {
  /** Reads an object. */
  get(address: ObjectAddress, options: ReadOptions): Promise<string>;
  /** A text may be in pieces, which are taken once, so that a large text need not be in memory as a whole. */
  put(
    address: ObjectAddress,
    text: string | Iterable<string>,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<void>;
}
