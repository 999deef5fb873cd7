import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { codeBlocks } from './support/codeBlocks.ts';
import { packedProject } from './support/packedProject.ts';

let project: ReturnType<typeof packedProject>;

beforeAll(() => {
  project = packedProject();
  for (const { file, code } of codeBlocks('docs/testing.md')) writeFileSync(join(project.folder, file), code);
  for (const { file, code } of codeBlocks('docs/testing.md', 'js'))
    writeFileSync(join(project.folder, file), code);
}, 120_000);
afterAll(() => project.remove());

/** Runs Node in the project, where nothing of this test's environment has an influence. */
async function run(...words: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, words, {
    cwd: project.folder,
    env: { PATH: process.env.PATH, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on('close', resolve);
  return { code: await promise, output };
}

const jest = 'node_modules/jest/bin/jest.js';
// A busy machine may take longer than the runners' 5 s to load the packages.
const timeout = '--testTimeout=60000';

test('the set-ups in docs/testing.md work in an empty project', async () => {
  const [node, vitest, ofJest] = await Promise.all([
    run('--test', 'node.test.ts'),
    run('node_modules/vitest/vitest.mjs', 'run', 'vitest.test.ts', timeout),
    run('--experimental-vm-modules', jest, '--no-watchman', timeout),
  ]);
  expect(node).toEqual({ code: 0, output: expect.stringMatching(/pass 3/) });
  expect(vitest).toEqual({ code: 0, output: expect.stringMatching(/1 passed/) });
  expect(ofJest).toEqual({ code: 0, output: expect.stringMatching(/1 passed/) });
}, 120_000);

test('the command line runs there', async () => {
  const manifest = JSON.parse(
    readFileSync(join(project.folder, 'node_modules/algernon-middy/package.json'), 'utf8'),
  );
  const command = join('node_modules/algernon-middy', manifest.bin['algernon-middy']);
  for (const peer of ['esbuild', '@aws-sdk/client-cloudwatch-logs']) project.hide(peer);
  writeFileSync(join(project.folder, 'enum.ts'), 'enum A { b }\nexport const handler = async () => A.b;');
  const [help, replay, logs, bundled] = await Promise.all([
    run(command, '--help'),
    run(command, 'replay', '-', '--worker', 'worker.ts'),
    run(command, 'chain', 'c-1', '--log-group', 'g', '--region', 'us-east-1'),
    run(command, 'prove', 'enum.ts', '--task', '{"task_name":"a"}'),
  ]);
  expect(help).toEqual({ code: 0, output: expect.stringContaining('redrive') });
  expect(replay).toEqual({ code: 1, output: expect.stringContaining('The text is not JSON') });
  expect(logs).toEqual({
    code: 1,
    output: expect.stringContaining('npm install @aws-sdk/client-cloudwatch-logs'),
  });
  expect(bundled).toEqual({ code: 1, output: expect.stringContaining('npm install --save-dev esbuild') });
});

test('jest without its flag says what the page says', async () => {
  const { code, output } = await run(jest, '--no-watchman');
  expect(code).toBe(1);
  expect(output).toContain('Must use import to load ES Module');
}, 120_000);
