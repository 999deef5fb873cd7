import { expect, test } from '@jest/globals';
import { isFinalFault } from '../../middlewares/aws/isFinalFault.ts';

const fault = (name: unknown, httpStatusCode?: number, more: object = {}) =>
  Object.assign(new Error(), { name, $metadata: { httpStatusCode }, ...more });

test.each<[string, number]>([
  ['NoSuchKey', 404],
  ['NoSuchBucket', 404],
  ['AccessDenied', 403],
  ['InvalidObjectState', 403],
  ['PermanentRedirect', 301],
  ['KeyTooLongError', 400],
  ['MalformedACLError', 400],
  ['KMS.DisabledException', 400],
  ['KMS.KMSInvalidStateException', 400],
  ['NotFoundException', 404],
  ['AuthorizationErrorException', 403],
  ['AuthorizationError', 403],
  ['KMSAccessDeniedException', 400],
  ['KmsAccessDenied', 400],
  ['TooManyEntriesInBatchRequestException', 400],
  ['AWS.SimpleQueueService.NonExistentQueue', 400],
  ['com.amazonaws.sqs#QueueDoesNotExist', 400],
  ['ValidationException', 400],
  ['AccessDeniedException', 400],
])('%s with status %i is final', (name, status) => {
  expect(isFinalFault(fault(name, status))).toBe(true);
});

test.each<[string, number | undefined]>([
  ['TemporaryRedirect', 307],
  ['BadDigest', 400],
  ['IncompleteBody', 400],
  ['TokenRefreshRequired', 400],
  ['NoSuchUpload', 404],
  ['InvalidPart', 400],
  ['ExpiredToken', 400],
  ['InvalidToken', 400],
  ['InvalidAccessKeyId', 403],
  ['SignatureDoesNotMatch', 403],
  ['UnrecognizedClientException', 400],
  ['RequestTimeTooSkewed', 403],
  ['RequestTimeout', 400],
  ['OperationAborted', 409],
  ['ConditionalRequestConflict', 409],
  ['ThrottlingException', 400],
  ['Throttled', 400],
  ['KMSThrottlingException', 400],
  ['KMS.ThrottlingException', 400],
  ['SlowDown', 503],
  ['AccessDenied', 500],
  ['AccessDenied', undefined],
  ['AFaultThatAwsAddsLater', 400],
  ['AFaultThatAwsAddsLater', 403],
])('%s with status %p is retryable', (name, status) => {
  expect(isFinalFault(fault(name, status))).toBe(false);
});

test.each([undefined, '', 'UnknownError', 'Error', '404'])(
  'the code %j leaves the decision to the status',
  (name) => {
    for (const status of [301, 403, 404, 405, 410, 413, 414]) {
      expect([status, isFinalFault(fault(name, status))]).toEqual([status, true]);
    }
    for (const status of [200, 307, 400, 401, 408, 409, 425, 429, 500, 503, undefined]) {
      expect([status, isFinalFault(fault(name, status))]).toEqual([status, false]);
    }
  },
);

test('a fault that the SDK calls retryable is retryable, whatever its code', () => {
  expect(isFinalFault(fault('AccessDenied', 400, { $retryable: {} }))).toBe(false);
  expect(isFinalFault(fault('AccessDenied', 400, { $retryable: { throttling: true } }))).toBe(false);
});

test.each([undefined, null, 'AccessDenied', new TypeError('x'), {}])('%p is not final', (error) => {
  expect(isFinalFault(error)).toBe(false);
});
