import type { ObjectAddress } from '../../core/storedData/ObjectStore.ts';
import { StoredDataError, type StoredDataErrorCode, shown } from '../../core/storedData/StoredDataError.ts';
import { isFinalFault } from './isFinalFault.ts';

interface S3Fault {
  name?: string;
  message?: string;
  StorageClass?: string;
  $metadata?: { httpStatusCode?: number };
}

/** Makes a {@link StoredDataError} of what S3 or the SDK threw: in S3's own words, with what to do about it. */
export function s3Error(action: 'read' | 'write', address: ObjectAddress, error: unknown): StoredDataError {
  if (error instanceof StoredDataError) return error;
  const place = shown(`s3://${address.bucket}/${address.key}`);
  const fault = Object(error) as S3Fault;
  const said = shown(error instanceof Error ? `${fault.name}: ${fault.message}` : String(error));
  if (!isFinalFault(error)) {
    return new StoredDataError('STORED_DATA_UNAVAILABLE', `Could not ${action} ${place} this time: ${said}`, {
      cause: error,
      retryable: true,
    });
  }
  const [code, advice] = adviceFor(action, address, fault);
  return new StoredDataError(code, `Cannot ${action} ${place}: ${advice} (${said})`, { cause: error });
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
      `it is archived in the storage class ${shown(StorageClass ?? 'GLACIER or DEEP_ARCHIVE')}. Restore it, and let no lifecycle rule archive stored values.`,
    ];
  }
  if ($metadata?.httpStatusCode === 404) {
    return ['STORED_DATA_MISSING', 'there is no such object. A lifecycle rule may have removed it.'];
  }
  if ($metadata?.httpStatusCode === 403) {
    const permission =
      action === 'read'
        ? 's3:GetObject. Without s3:ListBucket, S3 says this of a missing object too'
        : 's3:PutObject, with the option acl s3:PutObjectAcl too';
    return ['STORED_DATA_ACCESS', `access is denied. The function's role needs ${permission}.`];
  }
  if (/PermanentRedirect|HeaderMalformed|IllegalLocation/.test(name) || $metadata?.httpStatusCode === 301) {
    return ['STORED_DATA_REFUSED', 'the bucket is in another region. Pass a client for it as the option s3.'];
  }
  if (/AccessControlList|MalformedACL/.test(name)) {
    return ['STORED_DATA_REFUSED', 'the bucket does not take ACLs. Leave out the option acl.'];
  }
  return ['STORED_DATA_REFUSED', 'S3 rejected the request.'];
}
