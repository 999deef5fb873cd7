import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { codeBlocks } from './support/codeBlocks.ts';

const root = new URL('..', import.meta.url).pathname;
const run = async (cwd: string, command: string, ...args: string[]) =>
  (await promisify(execFile)(command, args, { cwd, timeout: 120_000, maxBuffer: 2 ** 26 })).stdout;

let folder: string;
let tarball: string;
let files: string[];
let project: string;
let installing: Promise<unknown>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'algernon-middy-'));
  // npm run unit has built dist, so the rest of the gate tests the same files.
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [packed] = JSON.parse(await run(root, 'npm', ...pack));
  tarball = join(folder, packed.filename);
  files = packed.files.map(({ path }: { path: string }) => path);
  project = mkdtempSync(join(folder, 'project-'));
  installing = install(project);
  // A failure is reported where it is awaited.
  installing.catch(() => {});
}, 60_000);
afterAll(async () => {
  await installing.catch(() => {});
  rmSync(folder, { recursive: true, force: true });
});

/** Installs the package and what the docs tell users to install. The lock file makes npm find all of it in its cache. */
function install(project: string): Promise<unknown> {
  const { packages, ...lock } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const locked = { ...lock, packages: { ...packages, '': {} } };
  writeFileSync(join(project, 'package-lock.json'), JSON.stringify(locked));
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  const names = [
    ...['@middy/core', '@middy/sqs-partial-batch-failure', 'fauxqs', '@aws-sdk/client-sqs'],
    ...['typescript', '@types/aws-lambda', '@types/node'],
  ];
  const tools = names.map((name) => `${name}@${packages[`node_modules/${name}`].version}`);
  return run(project, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', tarball, ...tools);
}

test('the package contains exactly its files', () => {
  const folders = new Set(
    files.map((path) =>
      path
        .split('/')
        .slice(0, path.startsWith('dist/') ? 2 : 1)
        .join('/'),
    ),
  );
  expect([...folders].sort()).toEqual([
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'LICENSE',
    'README.md',
    'SECURITY.md',
    // The sources, to which the declaration maps lead.
    'core',
    'dist/chunks',
    'dist/core',
    'dist/local',
    'dist/middlewares',
    // A file for each source, for bundlers.
    'dist/modules',
    // README and the error messages lead to the docs, and the docs to the examples.
    'docs',
    'examples',
    'local',
    'middlewares',
    'package.json',
  ]);
  // The tests of the CDK example write there.
  expect(files.filter((path) => /^examples\/.*\/(dist|cdk\.out)\//.test(path))).toEqual([]);
});

test('publint and arethetypeswrong report no problems', async () => {
  expect(await run(root, process.execPath, 'node_modules/publint/src/cli.js', tarball, '--strict')).toContain(
    'All good!',
  );
  // Exits with an error if it finds a problem.
  await run(
    root,
    process.execPath,
    'node_modules/@arethetypeswrong/cli/dist/index.js',
    tarball,
    '--profile',
    'esm-only',
  );
}, 120_000);

describe('in an empty project', () => {
  const tsc = (compiler: string, folder: string, ...args: string[]) =>
    run(folder, process.execPath, join(root, 'node_modules', compiler, 'bin/tsc'), ...args);

  // One installation serves both versions of Middy.
  beforeAll(async () => {
    await installing;
    writeFileSync(join(project, 'worker.ts'), codeBlocks('README.md')[0]?.code ?? '');
    for (const file of ['consumer.ts', 'wrong.ts']) {
      copyFileSync(join(root, 'test/consumer', file), join(project, file));
    }
    mkdirSync(join(project, 'chain'));
    for (const { file, code } of codeBlocks('docs/first-chain.md')) {
      // bundlers.test runs the CDK.
      if (file.startsWith('infra/')) continue;
      writeFileSync(join(project, 'chain', file), code);
    }
  }, 180_000);

  const compile = (compiler: string, module: string, moduleResolution: string) =>
    tsc(
      compiler,
      project,
      ...['--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', '--rewriteRelativeImportExtensions'],
      ...['--target', 'es2023', '--lib', 'es2024,esnext.disposable', '--types', 'node'],
      ...['--module', module, '--moduleResolution', moduleResolution],
      ...['worker.ts', 'consumer.ts', 'wrong.ts', 'chain/worker.ts', 'chain/local.ts'],
    );

  describe.each(['typescript', 'typescript-5'])('%s', (compiler) => {
    test.each([
      ['nodenext', 'nodenext'],
      ['node20', 'node16'],
      ['esnext', 'bundler'],
    ])(
      "compiles the README's stack, and refuses wrong types, with module %s and moduleResolution %s",
      async (module, resolution) => {
        await compile(compiler, module, resolution);
      },
    );
  });

  test('the stack runs against SNS, SQS and S3', async () => {
    expect(await run(project, process.execPath, 'consumer.js')).toContain('cat.png@200');
  });

  test("the docs' first chain compiles with its tsconfig, and runs as written", async () => {
    const chain = join(project, 'chain');
    const [config] = codeBlocks('docs/first-chain.md', 'json');
    writeFileSync(join(chain, 'tsconfig.json'), config?.code ?? '');
    await tsc('typescript', chain);
    expect(await run(chain, process.execPath, 'local.ts')).toContain('3 words');
    expect(await run(chain, process.execPath, '--test')).toContain('pass 1');
  });

  test('the stack compiles and runs with @middy/core 6', async () => {
    const middy = join(project, 'node_modules/@middy/core');
    rmSync(middy, { recursive: true });
    cpSync(join(root, 'node_modules/@middy/core-6'), middy, { recursive: true });
    await compile('typescript', 'nodenext', 'nodenext');
    expect(await run(project, process.execPath, 'consumer.js')).toContain('cat.png@200');
  });

  test('require() works', async () => {
    const script =
      "console.log(typeof require('algernon-middy').queued, typeof require('algernon-middy/core').ajson.dumps)";
    const output = await run(project, process.execPath, '--input-type=commonjs', '--eval', script);
    expect(output.trim()).toBe('function function');
  });
});
