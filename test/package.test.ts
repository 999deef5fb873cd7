import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { codeBlocks } from './support/codeBlocks.ts';

const root = new URL('..', import.meta.url).pathname;
const run = (cwd: string, command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

let folder: string;
let tarball: string;
let files: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'algernon-middy-'));
  // npm run unit has built dist, so the rest of the gate tests the same files.
  const [packed] = JSON.parse(
    run(root, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', folder),
  );
  tarball = join(folder, packed.filename);
  files = packed.files.map(({ path }: { path: string }) => path);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the package contains exactly its files', () => {
  const rooms = new Set(
    files.map((path) =>
      path
        .split('/')
        .slice(0, path.startsWith('dist/') ? 2 : 1)
        .join('/'),
    ),
  );
  expect([...rooms].sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    // The sources, to which the declaration maps lead.
    'core',
    'dist/chunks',
    'dist/core',
    'dist/local',
    'dist/middlewares',
    'local',
    'middlewares',
    'package.json',
  ]);
});

test('publint and arethetypeswrong report no problems', () => {
  expect(run(root, process.execPath, 'node_modules/publint/src/cli.js', tarball, '--strict')).toContain(
    'All good!',
  );
  // Exits with an error if it finds a problem.
  run(
    root,
    process.execPath,
    'node_modules/@arethetypeswrong/cli/dist/index.js',
    tarball,
    '--profile',
    'esm-only',
  );
});

const versionOf = (name: string) =>
  JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version as string;

describe('in an empty project', () => {
  let project: string;

  // One installation serves both versions of Middy.
  beforeAll(() => {
    project = mkdtempSync(join(folder, 'project-'));
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    const tools = [
      '@middy/core',
      '@middy/sqs-partial-batch-failure',
      'typescript',
      '@types/aws-lambda',
      '@types/node',
      'fauxqs',
      '@aws-sdk/client-sqs',
    ];
    const named = tools.map((name) => `${name}@${versionOf(name)}`);
    run(project, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', tarball, ...named);
    writeFileSync(join(project, 'worker.ts'), codeBlocks('README.md')[0]?.code ?? '');
    copyFileSync(join(root, 'test/consumer/consumer.ts'), join(project, 'consumer.ts'));
  }, 180_000);

  const compile = (compiler: string, module: string, moduleResolution: string, ...sources: string[]) => {
    const options = [
      '--strict',
      '--exactOptionalPropertyTypes',
      '--skipLibCheck',
      '--target',
      'es2023',
      '--types',
      'node',
    ];
    const how = ['--module', module, '--moduleResolution', moduleResolution];
    return run(
      project,
      process.execPath,
      join(root, 'node_modules', compiler, 'bin/tsc'),
      ...options,
      ...how,
      ...sources,
    );
  };

  describe.each(['typescript', 'typescript-5'])('%s', (compiler) => {
    test.each([
      ['nodenext', 'nodenext'],
      ['node20', 'node16'],
      ['esnext', 'bundler'],
    ])(
      "the README's stack compiles under strict, with module %s and moduleResolution %s",
      (module, resolution) => {
        compile(compiler, module, resolution, 'worker.ts', 'consumer.ts');
      },
    );

    test('wrong types do not compile', () => {
      writeFileSync(
        join(project, 'wrong.ts'),
        "import type { Task } from 'algernon-middy';\nexport const task: Task = { task_name: 7 };\n",
      );
      expect(() => compile(compiler, 'nodenext', 'nodenext', '--noEmit', 'wrong.ts')).toThrow();
    });
  });

  test('the stack runs against SNS, SQS and S3', () => {
    expect(run(project, process.execPath, 'consumer.js')).toContain('cat.png@200');
  });

  test("the docs' first chain compiles with its tsconfig, and runs as written", () => {
    const chain = join(project, 'chain');
    mkdirSync(chain);
    for (const { file, code } of codeBlocks('docs/first-chain.md')) writeFileSync(join(chain, file), code);
    const [, config = ''] =
      /^```json\n(.*?)^```$/ms.exec(readFileSync(join(root, 'docs/first-chain.md'), 'utf8')) ?? [];
    writeFileSync(join(chain, 'tsconfig.json'), config);
    for (const compiler of ['typescript', 'typescript-5']) {
      run(chain, process.execPath, join(root, 'node_modules', compiler, 'bin/tsc'));
    }
    expect(run(chain, process.execPath, 'local.ts')).toContain('3 words');
  });

  test('the stack compiles and runs with @middy/core 6', () => {
    const middy = join(project, 'node_modules/@middy/core');
    rmSync(middy, { recursive: true });
    cpSync(join(root, 'node_modules/@middy/core-6'), middy, { recursive: true });
    compile('typescript', 'nodenext', 'nodenext', 'worker.ts', 'consumer.ts');
    expect(run(project, process.execPath, 'consumer.js')).toContain('cat.png@200');
  });

  test('require() works', () => {
    const script =
      "console.log(typeof require('algernon-middy').queued, typeof require('algernon-middy/core').ajson.dumps)";
    expect(run(project, process.execPath, '--input-type=commonjs', '--eval', script).trim()).toBe(
      'function function',
    );
  });
});
