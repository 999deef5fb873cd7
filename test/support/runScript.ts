import { execFileSync } from 'node:child_process';

/** Runs the source of a module in a child process, in the root of the repository, and returns what it prints. */
export function runScript(source: string, type: 'module' | 'commonjs' = 'module'): string {
  const cwd = new URL('../..', import.meta.url).pathname;
  const args = [`--input-type=${type}`, '--eval', source];
  return execFileSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 60_000 });
}
