/** An asynchronous function to measure. Its input is made in advance. */
export interface Timed<T> {
  readonly name: string;
  make(): T;
  run(made: T): Promise<unknown>;
}

/** The processor time of one run, and its ratio to that of the first contender. */
export interface PairedTime {
  readonly name: string;
  /** Median, in microseconds. */
  readonly micros: number;
  /** The median over all rounds. */
  readonly ratio: number;
  /** The lower and upper quartile over all rounds. */
  readonly quartiles: readonly [number, number];
}

/** A quantile of a list of numbers. */
export function quantile(numbers: readonly number[], part: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * part)] ?? Number.NaN;
}

/**
 * Runs asynchronous functions in turn, `count` times per round, and compares each with the first within the round, so
 * that load on the machine affects all. The order rotates. Measures processor time, including the threads of the garbage
 * collector, since a Lambda function has less than one core.
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
      const inputs = Array.from({ length: count }, make);
      const start = process.cpuUsage();
      for (const input of inputs) await run(input);
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
