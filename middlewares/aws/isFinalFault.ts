/**
 * The faults that another try cannot cure, of S3, SNS, SQS, SSM, Step Functions and KMS: the request, a permission or a
 * resource must change first. Every other fault is retryable, those that AWS adds later included.
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

/** For an answer without a code, such as one to HEAD or one of a proxy. */
const finalStatuses = [301, 403, 404, 405, 410, 413, 414];

/**
 * Whether a call to AWS that failed would fail the same way every time. No answer, a 5xx, throttling, redirects for a
 * while, credentials that have expired and everything unknown are not final.
 *
 * @param error the error of the SDK, or `{ name, $metadata }` of an answer inside a batch
 */
export function isFinalFault(error: unknown): boolean {
  const { name, $retryable, $metadata } = Object(error) as {
    name?: unknown;
    $retryable?: object;
    $metadata?: { httpStatusCode?: number };
  };
  // Not `$fault`: some versions of the SDK say `client` of an answer that has no class, whatever its status.
  const status = $metadata?.httpStatusCode ?? 500;
  if (status < 300 || status >= 500 || $retryable !== undefined) return false;
  if (isNameless(name)) return finalStatuses.includes(status);
  return finalFaults.has(codeOf(String(name)));
}

/** The names that the SDK gives to an answer without a code. */
function isNameless(name: unknown): boolean {
  return name === undefined || /^(|\d{3}|Error|UnknownError|Unknown|Forbidden)$/.test(String(name));
}

/** A code as it is in the list: services, protocols and versions of the SDK spell one code in several ways. */
function codeOf(name: string): string {
  return name
    .replace(/^.*#|^AWS\.SimpleQueueService\./, '')
    .replace(/^KMS\.?(KMS)?/i, 'Kms')
    .replace(/(Exception|Error)+$/, '')
    .toLowerCase();
}
