/** How the extended clients of AWS for SQS and SNS mark a pointer to a message in S3, the newest first. */
export const pointerClasses = [
  'software.amazon.payloadoffloading.PayloadS3Pointer',
  'com.amazon.sqs.javamessaging.MessageS3Pointer',
] as const;

/** The message attribute that goes with a pointer, and holds the size of the message: the newest first. */
export const sizeAttributes = ['ExtendedPayloadSize', 'SQSLargePayloadSize'] as const;

/** The message that stands for one in S3. */
export function extendedPointer(bucket: string, key: string): string {
  return JSON.stringify([pointerClasses[0], { s3BucketName: bucket, s3Key: key }]);
}
