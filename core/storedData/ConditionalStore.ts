import type { ObjectAddress } from './ObjectStore.ts';

/** A text that is stored, and the version of it that {@link ConditionalStore.replace} expects. */
export interface StoredVersion {
  readonly text: string;
  readonly version: string;
}

export interface ConditionalOptions {
  signal?: AbortSignal | undefined;
}

export interface ConditionalReadOptions extends ConditionalOptions {
  /** The largest object to read, in bytes. */
  maxBytes: number;
}

/** A store whose writes can depend on what is stored. Fails with a `StoredDataError`. */
export interface ConditionalStore {
  /**
   * Reads an object. Undefined if there is none, or if it may not be read: without the permission to list a bucket, S3
   * answers the same for both.
   */
  read(address: ObjectAddress, options: ConditionalReadOptions): Promise<StoredVersion | undefined>;
  /**
   * Creates an object. Resolves to its version, or to undefined if an object exists.
   *
   * That object may be the result of this call: a client repeats a request whose answer was lost. Read it to find out.
   */
  create(address: ObjectAddress, text: string, options?: ConditionalOptions): Promise<string | undefined>;
  /** Replaces a version of an object. Resolves to the new version, or to undefined if the object has changed or is gone. */
  replace(
    address: ObjectAddress,
    text: string,
    version: string,
    options?: ConditionalOptions,
  ): Promise<string | undefined>;
}
