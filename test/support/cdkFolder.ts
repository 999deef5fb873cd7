import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';

/** Redirects the CDK's output to a temporary folder, which is removed after the test file. */
export function useCdkFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cdk-'));
  process.env.CDK_OUTDIR = folder;
  afterAll(() => {
    delete process.env.CDK_OUTDIR;
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
