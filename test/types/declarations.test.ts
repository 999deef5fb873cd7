import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { undocumented } from './documented.ts';

const root = new URL('../..', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const entries: string[] = Object.values<{ types?: string }>(manifest.exports).flatMap(
  ({ types }) => types ?? [],
);

/** The packages that the declarations of an entry point import. */
function packagesOf(entry: string): Set<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const code = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    for (const [, to = ''] of code.matchAll(/(?:from|import\() ?['"]([^'"]+)['"]/g)) {
      const declaration = join(dirname(file), to).replace(/\.[jt]s$/, '.d.ts');
      if (to.startsWith('.') && existsSync(declaration)) visit(declaration);
      if (!to.startsWith('.')) packages.add(to);
    }
  };
  visit(join(root, entry));
  return packages;
}

test('every export, option and member of a public interface has a doc comment', () => {
  const files = ['middlewares/index.ts', 'core/index.ts', 'local/index.ts', 'local/testing.ts'];
  const tracing = ['middlewares/openTelemetryTracing.ts', 'middlewares/xrayTracing.ts'];
  expect(undocumented([...files, ...tracing])).toEqual([]);
}, 30_000);

test('the declarations import only packages that are installed with this one', () => {
  const installed = [...Object.keys(manifest.dependencies), '@middy/core'];
  // A user of these has installed the package.
  const extra: Record<string, string[]> = {
    './dist/local/index.d.ts': ['@aws-sdk/client-sqs', 'fauxqs'],
    './dist/local/testing.d.ts': ['@aws-sdk/client-sqs', 'fauxqs'],
    './dist/middlewares/openTelemetryTracing.d.ts': ['@opentelemetry/api'],
    './dist/middlewares/xrayTracing.d.ts': ['@aws-lambda-powertools/tracer'],
  };
  const isExpected = (entry: string) => (name: string) =>
    name.startsWith('node:') ||
    [...installed, ...(extra[entry] ?? [])].some((known) => `${name}/`.startsWith(`${known}/`));
  expect(entries.length).toBeGreaterThan(20);
  expect([...packagesOf('./dist/local/index.d.ts')]).toContain('@aws-sdk/client-sqs');
  const others = entries.flatMap((entry) =>
    [...packagesOf(entry)].filter((name) => !isExpected(entry)(name)).map((name) => `${entry}: ${name}`),
  );
  expect(others).toEqual([]);
});

test('the declarations have no error without skipLibCheck', () => {
  mkdirSync(join(root, 'coverage'), { recursive: true });
  const folder = mkdtempSync(join(root, 'coverage', 'declarations-'));
  try {
    const lines = entries.map(
      (entry, index) => `export * as entry${index} from '${join(root, entry).replace('.d.ts', '.js')}';`,
    );
    writeFileSync(join(folder, 'index.ts'), lines.join('\n'));
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      target: 'es2023',
      lib: ['es2024', 'esnext.disposable'],
      types: ['node'],
      module: 'nodenext',
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['index.ts'] }));
    const tsc = join(root, 'node_modules/.bin/tsc');
    const { stdout } = spawnSync(tsc, ['-p', folder, '--pretty', 'false'], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    // The types of Middy 7 name a package that is not installed.
    const ours = stdout
      .split('\n')
      .filter((line) => line !== '' && !line.includes('node_modules/@middy/core/'));
    expect(ours).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);
