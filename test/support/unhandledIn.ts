import { runInThisContext } from 'node:vm';

/** The `process` of jest hears of no rejection. */
const process = runInThisContext('process') as NodeJS.Process;

/** The rejections that nothing has handled when they happen, while some work runs. */
export async function unhandledIn(work: () => Promise<unknown>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  await work();
  await new Promise<void>((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  return unhandled;
}
