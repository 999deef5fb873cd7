/**
 * The faults of S3, SNS, SQS, SSM, Step Functions and KMS that a retry cannot fix: the request, a permission or a
 * resource must change first. Every other fault is retryable, including those that AWS adds later.
 */
const finalFaults = new Set(
  `NoSuchKey NoSuchBucket NoSuchVersion NotFound ResourceNotFound InvalidObjectState
  AccessDenied AllAccessDisabled AccountProblem NotSignedUp OptInRequired InvalidPayer Authorization
  PermanentRedirect AuthorizationHeaderMalformed IllegalLocationConstraint
  InvalidBucketName InvalidBucketState InvalidURI InvalidArn InvalidArgument InvalidRequest InvalidStorageClass
  InvalidTag KeyTooLong MetadataTooLarge EntityTooLarge EntityTooSmall MalformedXML MalformedACL UnsupportedArgument
  AccessControlListNotSupported MethodNotAllowed UnsupportedOperation UnsupportedSignature
  InvalidAction UnknownOperation Serialization Validation MissingParameter MalformedQueryString InvalidQueryParameter
  InvalidParameter InvalidParameterValue InvalidParameterCombination InvalidAddress
  BatchEntryIdsNotDistinct BatchRequestTooLong EmptyBatchRequest InvalidBatchEntryId TooManyEntriesInBatchRequest
  QueueDoesNotExist NonExistentQueue InvalidMessageContents InvalidAttributeName
  InvalidAttributeValue InvalidIdFormat ReceiptHandleIsInvalid MessageNotInflight
  ParameterNotFound InvalidOutput TaskDoesNotExist TaskTimedOut StateMachineDoesNotExist
  KmsAccessDenied KmsDisabled KmsInvalidKeyUsage KmsInvalidState KmsNotFound KmsOptInRequired`
    .toLowerCase()
    .split(/\s+/),
);

/** For a response without a code, such as that to a HEAD request or that of a proxy. */
const finalStatuses = [301, 403, 404, 405, 410, 413, 414];

/**
 * Whether a failed call to AWS would fail again every time. Timeouts, 5xx, throttling, temporary redirects, expired
 * credentials and unknown faults are not final.
 *
 * @param error the error of the SDK, or `{ name, $metadata }` of a failed entry in a batch
 */
export function isFinalFault(error: unknown): boolean {
  const { name, $retryable, $metadata } = Object(error) as {
    name?: unknown;
    $retryable?: object;
    $metadata?: { httpStatusCode?: number };
  };
  // Not `$fault`: some versions of the SDK set it to `client` for unknown errors, whatever the status.
  const status = $metadata?.httpStatusCode ?? 500;
  if (status < 300 || status >= 500 || $retryable !== undefined) return false;
  if (isNameless(name)) return finalStatuses.includes(status);
  return finalFaults.has(codeOf(String(name)));
}

/** The names that the SDK gives to an error without a code. */
function isNameless(name: unknown): boolean {
  return name === undefined || /^(|\d{3}|Error|UnknownError|Unknown|Forbidden)$/.test(String(name));
}

/** A code in the spelling of the list. Services, protocols and SDK versions spell codes differently. */
function codeOf(name: string): string {
  return name
    .replace(/^.*#|^AWS\.SimpleQueueService\./, '')
    .replace(/^KMS\.?(KMS)?/i, 'Kms')
    .replace(/(Exception|Error)+$/, '')
    .toLowerCase();
}
