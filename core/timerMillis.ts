/** What `setTimeout` can wait for; what is longer it takes for one millisecond. */
const longest = 2 ** 31 - 1;

/** A time that `setTimeout` waits for as it is meant, in milliseconds. */
export function timerMillis(millis: number): number {
  return Math.min(Math.max(0, millis), longest);
}
