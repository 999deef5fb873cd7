import type { ObjectAddress } from '../../core/storedData/ObjectStore.ts';
import { StoredDataError, type StoredDataErrorCode, shown } from '../../core/storedData/StoredDataError.ts';
import { isFinalFault } from './isFinalFault.ts';

interface S3Fault {
  name?: string;
  message?: string;
  StorageClass?: string;
  $metadata?: { httpStatusCode?: number };
}

/** Converts an error of S3 or the SDK to a {@link StoredDataError}, with S3's message and advice. */
export function s3Error(action: 'read' | 'write', address: ObjectAddress, error: unknown): StoredDataError {
  if (error instanceof StoredDataError) return error;
  const url = shown(`s3://${address.bucket}/${address.key}`);
  const fault = Object(error) as S3Fault;
  const detail = shown(error instanceof Error ? `${fault.name}: ${fault.message}` : String(error));
  if (!isFinalFault(error)) {
    return new StoredDataError('STORED_DATA_UNAVAILABLE', `Could not ${action} ${url} this time: ${detail}`, {
      cause: error,
      retryable: true,
    });
  }
  const [code, advice] = adviceFor(action, address, fault);
  return new StoredDataError(code, `Cannot ${action} ${url}: ${advice} (${detail})`, { cause: error });
}

function adviceFor(
  action: 'read' | 'write',
  { bucket }: ObjectAddress,
  { name = '', message = '', StorageClass, $metadata }: S3Fault,
): [StoredDataErrorCode, string] {
  if (name === 'NoSuchBucket') {
    return [
      'STORED_DATA_MISSING',
      `there is no bucket ${shown(bucket)}. Check the option bucket or ALGERNON_BUCKET_NAME.`,
    ];
  }
  if (/^kms/i.test(name) || /\bkms:[a-z]|\bKMS (key|master)|ciphertext/i.test(message)) {
    const permission = action === 'read' ? 'kms:Decrypt' : 'kms:GenerateDataKey and kms:Decrypt';
    return [
      'STORED_DATA_ACCESS',
      `the KMS key cannot be used. The function's role and the key's policy must allow ${permission}, and the key must be enabled.`,
    ];
  }
  if (name === 'InvalidObjectState') {
    return [
      'STORED_DATA_ARCHIVED',
      `it is archived in the storage class ${shown(StorageClass ?? 'GLACIER or DEEP_ARCHIVE')}. Restore it, and exclude stored values from lifecycle rules that archive.`,
    ];
  }
  if ($metadata?.httpStatusCode === 404) {
    return ['STORED_DATA_MISSING', 'there is no such object. A lifecycle rule may have removed it.'];
  }
  if ($metadata?.httpStatusCode === 403) {
    const permission =
      action === 'read'
        ? 's3:GetObject. Without s3:ListBucket, S3 also answers this for a missing object'
        : 's3:PutObject, and s3:PutObjectAcl for the option acl';
    return ['STORED_DATA_ACCESS', `access is denied. The function's role needs ${permission}.`];
  }
  if (/PermanentRedirect|HeaderMalformed|IllegalLocation/.test(name) || $metadata?.httpStatusCode === 301) {
    return ['STORED_DATA_REFUSED', 'the bucket is in another region. Pass a client for it as the option s3.'];
  }
  if (/AccessControlList|MalformedACL/.test(name)) {
    return ['STORED_DATA_REFUSED', 'the bucket does not allow ACLs. Remove the option acl.'];
  }
  return ['STORED_DATA_REFUSED', 'S3 rejected the request.'];
}
