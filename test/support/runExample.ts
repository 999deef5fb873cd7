import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const root = new URL('../..', import.meta.url).pathname;

/** Runs the command of an example as a user does, with the built package, and resolves to what it prints. */
export async function runExample(name: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [`examples/${name}/main.ts`], {
    cwd: root,
    env: { PATH: process.env.PATH, NO_COLOR: '1', ...env },
    timeout: 60_000,
  });
  return stdout;
}
