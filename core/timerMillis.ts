/** What `setTimeout` can wait for; what is longer it takes for one millisecond. */
const longest = 2_147_483_647;

/** A time that `setTimeout` waits for as it is meant, in milliseconds. */
export function timerMillis(millis: number): number {
  return Math.min(Math.max(0, millis), longest);
}
