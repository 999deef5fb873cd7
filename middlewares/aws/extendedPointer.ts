import { StoredDataError, shown } from '../../core/storedData/StoredDataError.ts';

/** The class names with which AWS's extended clients for SQS and SNS mark a pointer, the newest first. */
export const pointerClasses: readonly unknown[] = [
  'software.amazon.payloadoffloading.PayloadS3Pointer',
  'com.amazon.sqs.javamessaging.MessageS3Pointer',
];

/** The message attribute of a pointer, which holds the size of the message. The newest name is first. */
export const sizeAttributes = ['ExtendedPayloadSize', 'SQSLargePayloadSize'] as const;

/** The pointer to a message in S3. */
export function extendedPointer(bucket: string, key: string): string {
  return JSON.stringify([pointerClasses[0], { s3BucketName: bucket, s3Key: key }]);
}

/** A pointer to a message in S3. */
export interface ExtendedPointer {
  s3BucketName: string;
  s3Key: string;
}

/**
 * The pointer, if the message is a pointer; undefined for other messages.
 *
 * @throws StoredDataError `BAD_POINTER` when it is incomplete, or its attribute is missing
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
        'missing. Something between the sender and this worker dropped the attributes.',
      { path: '$[0]' },
    );
  }
  const { s3BucketName, s3Key } = Object(content[1]) as Partial<ExtendedPointer>;
  if (typeof s3BucketName !== 'string' || typeof s3Key !== 'string') {
    throw new StoredDataError(
      'BAD_POINTER',
      'The pointer at $[1] must have the strings s3BucketName and s3Key.',
      {
        path: '$[1]',
      },
    );
  }
  return { s3BucketName, s3Key };
}

/** The error for a pointer whose key may not be read. */
export function keyNotAllowed(key: string, keys: RegExp): StoredDataError {
  return new StoredDataError(
    'BAD_POINTER',
    `The pointer at $[1].s3Key leads to the key "${shown(key)}", which does not match the option keys, ` +
      `${shown(String(keys))}. Set keys to a pattern that matches the keys of your senders.`,
    { path: '$[1].s3Key' },
  );
}
