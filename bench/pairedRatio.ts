import { quantile } from './pairedRounds.ts';

/** The times of a contender, relative to a baseline in the same rounds. */
export interface Ratio {
  /** The median over all rounds. */
  readonly median: number;
  /** The lower and upper quartile over all rounds. */
  readonly quartiles: readonly [number, number];
}

/**
 * Runs two functions in turn, each for about `millis` per round, and compares them within each round, so that load on
 * the machine affects both. Many short rounds, because a round that another process interrupts is worthless.
 */
export function pairedRatio(baseline: () => void, contender: () => void, seconds = 1.5, millis = 0.3): Ratio {
  const slots = [baseline, contender].map((run) => ({ run, count: calibrate(run, millis), time: 0 }));
  const [base, other] = slots as [(typeof slots)[0], (typeof slots)[0]];
  const ratios: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (ratios.length < 50 || performance.now() < end) {
    // The order alternates, so that neither always pays for the other's garbage.
    for (const slot of ratios.length % 2 === 0 ? [base, other] : [other, base])
      slot.time = timed(slot.run, slot.count);
    ratios.push(other.time / base.time);
  }
  return { median: quantile(ratios, 0.5), quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)] };
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
