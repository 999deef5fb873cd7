/** The location of a stored value. */
export interface ObjectAddress {
  bucket: string;
  key: string;
}

export interface ReadOptions {
  /** Called with the object's size in bytes before it is read, or with each piece of an object of unknown size. Throws to refuse. */
  admit(bytes: number): void;
  signal?: AbortSignal | undefined;
}

/** Keeps stored values: S3, on AWS. Fails with a `StoredDataError`. */
export interface ObjectStore {
  get(address: ObjectAddress, options: ReadOptions): Promise<string>;
  /** A text may come in pieces, so that a large one is not copied to put them together. */
  put(
    address: ObjectAddress,
    text: string | readonly string[],
    options?: { signal?: AbortSignal | undefined },
  ): Promise<void>;
}
