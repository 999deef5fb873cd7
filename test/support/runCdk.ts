import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Runs a CDK program in a child process, since the CDK is ten times as slow within jest. The output of the CDK goes to
 * a temporary folder, which `read` may read before it is removed.
 */
export function runCdk<R>(program: string, read: (folder: string, output: string) => R): R {
  const folder = mkdtempSync(join(tmpdir(), 'cdk-'));
  try {
    const env = { ...process.env, CDK_OUTDIR: folder };
    const options = { env, encoding: 'utf8', maxBuffer: 2 ** 26, timeout: 120_000 } as const;
    return read(folder, execFileSync(process.execPath, [program], options));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
