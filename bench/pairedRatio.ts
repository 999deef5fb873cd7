/** The times of a contender, relative to a baseline in the same rounds. */
export interface Ratio {
  /** The median over all rounds. */
  readonly median: number;
  /** The lower and upper quartile over all rounds. */
  readonly quartiles: readonly [number, number];
  /** The median time of one run of the contender, in microseconds. */
  readonly micros: number;
}

/**
 * Runs two functions in turn, each for about `millis` (default 0.5) per round, and compares them within each round, so
 * that load on the machine affects both.
 */
export function pairedRatio(baseline: () => void, contender: () => void, rounds = 400, millis = 0.5): Ratio {
  const runs = [baseline, contender].map((run) => calibrate(run, millis));
  const ratios: number[] = [];
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // The order alternates, so that neither always pays for the other's garbage.
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    const time = [0, 0];
    for (const index of order) time[index] = timed(index ? contender : baseline, runs[index] ?? 1);
    ratios.push((time[1] ?? 0) / (time[0] ?? 1));
    times.push((time[1] ?? 0) * 1000);
  }
  const at = (list: number[], part: number) =>
    list.toSorted((a, b) => a - b)[Math.floor(list.length * part)] ?? 0;
  return { median: at(ratios, 0.5), quartiles: [at(ratios, 0.25), at(ratios, 0.75)], micros: at(times, 0.5) };
}

/** The milliseconds that one run takes, over `count` of them. */
function timed(run: () => void, count: number): number {
  const start = performance.now();
  for (let index = 0; index < count; index++) run();
  return (performance.now() - start) / count;
}

/** How many runs take `millis`, once the function is warm. */
function calibrate(run: () => void, millis: number): number {
  const end = performance.now() + 150;
  while (performance.now() < end) run();
  return Math.max(1, Math.round(millis / timed(run, 20)));
}
