/** Something that takes a while, with what it works on made beforehand and not in its time. */
export interface Timed<T> {
  readonly name: string;
  make(): T;
  run(made: T): Promise<unknown>;
}

/** The processor's time for one run, and its proportion to that of the first of all that ran beside it. */
export interface PairedTime {
  readonly name: string;
  /** Median, in microseconds. */
  readonly micros: number;
  /** The median over all rounds. */
  readonly ratio: number;
  /** Half of the rounds lie between these two. */
  readonly quartiles: readonly [number, number];
}

/** The part of a list of numbers below which the given part of them lies. */
export function quantile(numbers: readonly number[], part: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * part)] ?? Number.NaN;
}

/**
 * Runs each of some asynchronous functions by turns, `count` times a round, and compares round by round with the
 * first: whatever slows the machine slows all. Who begins a round changes from one to the next. What counts is the
 * processor's time, with that of the garbage collector's own threads: a Lambda function has less than one to itself.
 */
export async function pairedRounds<T>(
  contenders: readonly Timed<T>[],
  { rounds = 60, warmUp = 20, count }: { rounds?: number; warmUp?: number; count: number },
): Promise<PairedTime[]> {
  const times: number[][] = [];
  for (let round = -warmUp; round < rounds; round++) {
    const row: number[] = [];
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (turn + round + warmUp) % contenders.length;
      const { make, run } = contenders[index] as Timed<T>;
      const made = Array.from({ length: count }, make);
      const start = process.cpuUsage();
      for (const one of made) await run(one);
      const { user, system } = process.cpuUsage(start);
      row[index] = (user + system) / count;
    }
    if (round >= 0) times.push(row);
  }
  return contenders.map(({ name }, index) => {
    const ratios = times.map((row) => (row[index] ?? Number.NaN) / (row[0] ?? Number.NaN));
    const own = times.map((row) => row[index] ?? Number.NaN);
    const quartiles = [quantile(ratios, 0.25), quantile(ratios, 0.75)] as const;
    return { name, micros: quantile(own, 0.5), ratio: quantile(ratios, 0.5), quartiles };
  });
}
