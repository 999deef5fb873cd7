/**
 * Runs the vectors of ajson under each supported version of Node, installed from npm into a temporary folder:
 * `node test/everywhere.ts [22 24 26]`. Exits with 1 if a vector fails.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleVectors } from './core/ajson/bundleVectors.ts';

const asked = process.argv.slice(2);
const versions = asked.length > 0 ? asked : ['22', '24', '26'];
const folder = mkdtempSync(join(tmpdir(), 'ajson-everywhere-'));
try {
  const script = join(folder, 'vectors.cjs');
  writeFileSync(
    script,
    `${await bundleVectors()}\nconsole.log(process.version, JSON.stringify(globalThis.verdict));`,
  );
  for (const version of versions) {
    const home = join(folder, version);
    execFileSync(
      'npm',
      ['install', '--silent', '--no-audit', '--no-fund', '--prefix', home, `node@${version}`],
      {
        stdio: 'inherit',
      },
    );
    const said = execFileSync(join(home, 'node_modules', '.bin', 'node'), [script], { encoding: 'utf8' });
    console.log(said.trim());
    if (!said.includes('[]')) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
