/**
 * Tries the package with what the registry has: the vectors of ajson under each supported Node, and the packed package with
 * the oldest and the latest Middy, AWS SDK, OpenTelemetry and TypeScript, and with previews of them. Exits with 1 if
 * something fails.
 *
 * `npm run build && node test/everywhere/everywhere.ts [vectors] [oldest] [latest] [preview]`
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleVectors } from '../core/ajson/bundleVectors.ts';
import { allCombinations } from './combinations.ts';
import { installNode, tryCombination } from './tryCombination.ts';

const asked = process.argv.slice(2);
const isAsked = (name: string) => asked.length === 0 || asked.includes(name);
const folder = mkdtempSync(join(tmpdir(), 'algernon-everywhere-'));

function attempt(name: string, work: () => void): void {
  try {
    work();
    console.log(`passed: ${name}`);
  } catch (error) {
    const { message, stdout = '', stderr = '' } = error as Error & { stdout?: string; stderr?: string };
    console.log(`FAILED: ${name}\n${message}\n${stdout}\n${stderr}`);
    process.exitCode = 1;
  }
}

try {
  if (isAsked('vectors')) {
    const script = join(folder, 'vectors.cjs');
    writeFileSync(
      script,
      `${await bundleVectors()}\nif (globalThis.verdict.length) throw new Error(JSON.stringify(globalThis.verdict));`,
    );
    for (const version of ['22', '24', '26']) {
      const run = () =>
        execFileSync(installNode(version, folder), [script], { encoding: 'utf8', stdio: 'pipe' });
      attempt(`vectors, Node ${version}`, run);
    }
  }
  const packing = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [{ filename }] = JSON.parse(execFileSync('npm', packing, { encoding: 'utf8' }));
  for (const combination of allCombinations().filter(({ name }) => isAsked(name))) {
    const { name, packages, nodes } = combination;
    attempt(`${name}: ${packages.join(' ')}; Node ${nodes.join(', ')}`, () =>
      tryCombination(join(folder, filename), combination, folder),
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
