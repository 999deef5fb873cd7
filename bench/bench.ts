import { execFileSync } from 'node:child_process';
import { writeResults } from './writeResults.ts';

/** The parts of the benchmark: `npm run bench -- <part>`. With `--write` the results go to docs/benchmarks.md. */
const parts: Readonly<Record<string, () => Promise<unknown>>> = {
  ajson: () => import('./ajson.ts'),
  stack: () => import('./stack.ts'),
  throughput: () => import('./throughput.ts'),
  scaling: () => import('./scaling.ts'),

  lambdaLogged: () => import('./lambdaLogged.ts'),
  hydrate: () => import('./hydrate.ts'),
  coldstart: () => import('./coldstart.ts'),
  memory: () => import('./memory.ts'),
  payload: () => import('./payload.ts'),
  local: () => import('./local.ts'),
  size: () => import('./size.ts'),
  devPage: () => import('./devPage.ts'),
};

/** These take minutes, or a browser, so they run only when they are asked for by name. */
const byName = ['local', 'devPage'];

const wanted = process.argv.slice(2).filter((argument) => argument !== '--write');
const part = parts[wanted[0] ?? ''];
if (process.argv.includes('--write') && (part || wanted.length === 0)) {
  // Each in a new process, so that no part inherits the heap and caches of another.
  for (const name of part
    ? wanted.slice(0, 1)
    : Object.keys(parts).filter((known) => !byName.includes(known))) {
    const text = execFileSync(process.execPath, [import.meta.filename, name], { encoding: 'utf8' });
    writeResults(name, text);
    console.log(text);
  }
} else if (part) await part();
else {
  console.error(`which of: ${Object.keys(parts).join(', ')}`);
  process.exitCode = 1;
}
