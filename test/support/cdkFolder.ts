import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';

/** Has the CDK write the output of each `App` of a test file to one folder, which is removed at the end. */
export function useCdkFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cdk-'));
  process.env.CDK_OUTDIR = folder;
  afterAll(() => {
    delete process.env.CDK_OUTDIR;
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
