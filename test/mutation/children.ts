import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** How often each change was reached, by its number. */
export type Reached = Record<string, number>;

/** The state that StrykerJS and the changed code share. */
export interface Shared {
  activeMutant?: string | undefined;
  readonly currentTestId?: string;
  readonly mutantCoverage?: {
    readonly static: Reached;
    readonly perTest: Record<string, Reached>;
  };
}

const shared = () => (globalThis as { __stryker__?: Shared }).__stryker__ ?? {};

/**
 * Makes the processes that a test starts run the changed code too, and report the changes that they reach. Returns a function
 * that counts those as reached by the test.
 */
export function watchChildren(): () => void {
  const { activeMutant, currentTestId } = shared();
  const folder = mkdtempSync(join(tmpdir(), 'mutate-'));
  const hook = new URL('inChild.ts', import.meta.url);
  hook.search = new URLSearchParams({ folder, mutant: activeMutant ?? '' }).toString();
  process.env['NODE_OPTIONS'] = `--import=${hook}`;
  return () => {
    const perTest = shared().mutantCoverage?.perTest;
    for (const file of readdirSync(folder)) {
      if (!perTest || currentTestId === undefined) break;
      const reached = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Reached;
      perTest[currentTestId] = { ...reached, ...perTest[currentTestId] };
    }
    rmSync(folder, { recursive: true });
  };
}
