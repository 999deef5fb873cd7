import { raw } from '../../core/ajson/raw.ts';
import { hydrate } from '../../core/storedData/hydrate.ts';
import type { ObjectAddress, ObjectStore } from '../../core/storedData/ObjectStore.ts';
import { bucketNotAllowed } from '../../core/storedData/StoredDataError.ts';
import { extendedPointerIn, sizeAttributes } from '../../middlewares/aws/extendedPointer.ts';
import { s3ObjectStore } from '../../middlewares/aws/s3ObjectStore.ts';
import type { Target } from './openTarget.ts';

export interface ResolveOptions {
  /** The buckets that pointers may lead to, besides that of the target. */
  readonly buckets: readonly string[];
  /** Called with each object that is read. */
  onRead?(address: ObjectAddress, text: string): void;
}

const maxBytes = 64 * 1024 * 1024;

/**
 * Replaces the pointers in a content by their values, and a pointer of an extended client by its message.
 *
 * @throws StoredDataError
 */
export async function resolvePointers(
  content: unknown,
  target: Target,
  options: ResolveOptions,
): Promise<unknown> {
  const isAllowed = (bucket: string) => bucket === target.bucket || options.buckets.includes(bucket);
  const s3 = s3ObjectStore({ s3: target.s3 });
  const store: ObjectStore = {
    ...s3,
    async get(address, reading) {
      const text = await s3.get(address, reading);
      options.onRead?.(address, text);
      return text;
    },
  };
  // The attribute may be missing in a text that a person has copied.
  const extended = extendedPointerIn({ content, attributes: { [sizeAttributes[0]]: '' } });
  if (!extended) return hydrate(content, '$', { store, isAllowed, maxBytes });
  const { s3BucketName: bucket, s3Key: key } = extended;
  if (!isAllowed(bucket)) throw bucketNotAllowed(bucket, '$[1]');
  const text = await store.get({ bucket, key }, { admit: () => {} });
  return hydrate(raw(text), '$', { store, isAllowed, maxBytes });
}
