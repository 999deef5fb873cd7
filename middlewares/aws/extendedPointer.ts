import { StoredDataError, shown } from '../../core/storedData/StoredDataError.ts';

/** How the extended clients of AWS for SQS and SNS mark a pointer to a message in S3, the newest first. */
export const pointerClasses: readonly unknown[] = [
  'software.amazon.payloadoffloading.PayloadS3Pointer',
  'com.amazon.sqs.javamessaging.MessageS3Pointer',
];

/** The message attribute that goes with a pointer, and holds the size of the message: the newest first. */
export const sizeAttributes = ['ExtendedPayloadSize', 'SQSLargePayloadSize'] as const;

/** The message that stands for one in S3. */
export function extendedPointer(bucket: string, key: string): string {
  return JSON.stringify([pointerClasses[0], { s3BucketName: bucket, s3Key: key }]);
}

/** A pointer to a message in S3. */
export interface ExtendedPointer {
  s3BucketName: string;
  s3Key: string;
}

/**
 * The pointer in a message that is one; undefined for other messages.
 *
 * @throws StoredDataError `BAD_POINTER` when it is incomplete, or has lost its attribute
 */
export function extendedPointerIn({
  content,
  attributes,
}: {
  content: unknown;
  attributes: Readonly<Record<string, string>>;
}): ExtendedPointer | undefined {
  if (!Array.isArray(content) || !pointerClasses.includes(content[0])) return undefined;
  if (!sizeAttributes.some((name) => Object.hasOwn(attributes, name))) {
    throw new StoredDataError(
      'BAD_POINTER',
      `The message is a pointer of an extended client, and its message attribute ${sizeAttributes.join(' or ')} is ` +
        'missing. Something on the way dropped its attributes.',
      { path: '$[0]' },
    );
  }
  const { s3BucketName, s3Key } = Object(content[1]) as Partial<ExtendedPointer>;
  if (typeof s3BucketName !== 'string' || typeof s3Key !== 'string') {
    throw new StoredDataError('BAD_POINTER', 'The pointer at $[1] needs s3BucketName and s3Key as text.', {
      path: '$[1]',
    });
  }
  return { s3BucketName, s3Key };
}

/** A pointer leads to a key that may not be read. */
export function keyNotAllowed(key: string, keys: RegExp): StoredDataError {
  return new StoredDataError(
    'BAD_POINTER',
    `The pointer at $[1].s3Key leads to the key "${shown(key)}", which the option keys does not allow: ` +
      `it is ${shown(String(keys))}. Set it to a pattern for the keys of your senders.`,
    { path: '$[1].s3Key' },
  );
}
