import fc from 'fast-check';
import { checkStack, type StackCase, stackCase } from '../stacks/stacks.ts';

/** Runs many random stacks concurrently, since they mostly wait. */
const atOnce = 50;

/** Runs batches through random stacks. Each record must be done or reported, or the invocation must fail. */
export async function fuzzStacks(minutes: number, first: number): Promise<void> {
  // Written past the console, whose methods lambdaLogged replaces.
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const methods = ['error', 'warn', 'info', 'log'] as const;
  const originals = methods.map((method) => console[method]);
  for (const method of methods) console[method] = () => {};
  const end = performance.now() + minutes * 60_000;
  let stacks = 0;
  let wrong = 0;
  const seen = { acknowledged: 0, named: 0, failed: 0 };
  const check = async (stack: StackCase, seed: number) => {
    try {
      const { acknowledged, named, failed } = await checkStack(stack);
      seen.acknowledged += acknowledged;
      seen.named += named;
      seen.failed += failed ? 1 : 0;
    } catch (error) {
      wrong += 1;
      print(`seed ${seed}: ${String(error)}\n${JSON.stringify(stack)}`);
    }
    stacks += 1;
  };
  print(`stacks for ${minutes} min from seed ${first}`);
  for (let seed = first; performance.now() < end && wrong < 20; seed += 1) {
    await Promise.all(fc.sample(stackCase, { numRuns: atOnce, seed }).map((stack) => check(stack, seed)));
  }
  methods.forEach((method, index) => {
    console[method] = originals[index] as typeof console.log;
  });
  print(`${stacks} stacks, ${wrong} wrong; ${JSON.stringify(seen)}`);
  if (wrong > 0 || Object.values(seen).includes(0)) process.exitCode = 1;
}
