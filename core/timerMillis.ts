/** The longest delay of `setTimeout`. It turns a longer one into 1 ms. */
const longest = 2_147_483_647;

/** A delay within the range of `setTimeout`, in milliseconds. */
export function timerMillis(millis: number): number {
  return Math.min(Math.max(0, millis), longest);
}
