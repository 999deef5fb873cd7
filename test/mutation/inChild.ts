/** Loaded first by the processes that a test starts: see children.ts. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { Shared } from './children.ts';

const { searchParams } = new URL(import.meta.url);
const folder = searchParams.get('folder') ?? '';
const shared: Shared = { activeMutant: searchParams.get('mutant') || undefined };
Object.assign(globalThis, { __stryker__: shared });

process.on('exit', () => {
  const reached = shared.mutantCoverage?.static;
  if (reached && existsSync(folder)) {
    writeFileSync(join(folder, String(process.pid)), JSON.stringify(reached));
  }
});
