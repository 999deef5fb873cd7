/**
 * What AWS answers with a 4xx status, and what is over by the next delivery all the same: it is throttled, too slow,
 * in the way of another call, or the credentials or the clock of this environment were off.
 */
const passing =
  /throttl|slow ?down|too ?many|limit ?exceeded|timeout|conflict|aborted|in ?progress|prior ?request|expired|skewed|in ?the ?future|invalid ?signature|signature ?does ?not ?match/i;

/**
 * Whether a call to AWS that failed would fail the same however often it is made: AWS understood the request, and
 * refused it for what it is. No answer, a 5xx, and what is passing are not final.
 *
 * @param error what the SDK threw, or `{ name, $metadata }` of an answer inside a batch
 */
export function isFinalFault(error: unknown): boolean {
  const { name, $retryable, $metadata } = Object(error) as {
    name?: string;
    $retryable?: object;
    $metadata?: { httpStatusCode?: number };
  };
  // Not `$fault`: some versions of the SDK say `client` of an answer that it has no class for, whatever its status.
  const status = $metadata?.httpStatusCode ?? 500;
  if (status < 300 || status >= 500 || $retryable !== undefined) return false;
  return status !== 408 && status !== 409 && status !== 429 && !passing.test(String(name));
}
