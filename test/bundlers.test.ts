import { execFile } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { codeBlocks } from './support/codeBlocks.ts';
import { packedProject } from './support/packedProject.ts';

let project: ReturnType<typeof packedProject>;

/** Sends the chain of docs/first-chain.md through the worker in a file. */
const tryWorker = `
import { startLocalAws, startWorker } from 'algernon-middy/local';
import { sendTask } from 'algernon-middy';
await using aws = await startLocalAws();
Object.assign(process.env, aws.env);
const { handler } = await import(process.argv[2]);
const worker = await startWorker({ aws, handler, tasks: ['count', 'tell'], retryDelaySeconds: 0 });
const task = { task_name: 'count', task_kwargs: { text: 'one two three' }, callback: 'tell' };
await sendTask(task, { topics: worker.topics });
await worker.idle({ timeoutSeconds: 20 });
`;

beforeAll(() => {
  project = packedProject();
  const blocks = [
    ...codeBlocks('docs/first-chain.md'),
    ...codeBlocks('docs/bundlers.md'),
    ...codeBlocks('docs/bundlers.md', 'js'),
    ...codeBlocks('docs/commonjs.md', 'js'),
    { file: 'try.mjs', code: tryWorker },
    // NodejsFunction looks for the project's root by its lock file.
    { file: 'package-lock.json', code: '{}' },
  ];
  const construct = join(project.folder, 'node_modules/algernon-middy/examples/cdk');
  cpSync(construct, join(project.folder, 'infra'), { recursive: true });
  for (const { file, code } of blocks) writeFileSync(join(project.folder, file), code);
}, 120_000);
afterAll(() => project.remove());

/** Runs a tool of node_modules, or a file of the project. */
async function run(file: string, words: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const options = { cwd: project.folder, timeout: 60_000, env: { PATH: process.env.PATH, ...env } };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file, ...words], options);
  return stdout + stderr;
}

/** The command in a page that begins so, without `npx`, in the project's folder. */
function commandIn(page: string, start: string): string[] {
  const lines = codeBlocks(page, 'sh').flatMap(({ code }) => code.replace(/\\\n\s*/g, '').split('\n'));
  const command = lines.find((line) => line.startsWith(`npx ${start}`)) ?? '';
  return command
    .split(' ')
    .slice(2)
    .map((word) => word.replaceAll("'", ''));
}

test('the worker runs when it is bundled by Vite', async () => {
  await run('node_modules/vite/bin/vite.js', commandIn('docs/bundlers.md', 'vite'));
  expect(await run('try.mjs', ['./dist/index.mjs'])).toContain('"message":"3 words');
}, 120_000);

test('the worker runs when it is bundled by esbuild, as an ES module and as CommonJS', async () => {
  const esbuild = 'node_modules/esbuild/bin/esbuild';
  const esm = commandIn('docs/bundlers.md', 'esbuild').map((word) =>
    word.replace('outdir=dist', 'outdir=esm'),
  );
  await Promise.all([run(esbuild, esm), run(esbuild, commandIn('docs/commonjs.md', 'esbuild'))]);
  expect(await run('try.mjs', ['./esm/index.mjs'])).toContain('"message":"3 words');
  expect(await run('try.mjs', ['./dist/index.cjs'])).toContain('"message":"3 words');
}, 120_000);

test("the worker is bundled by CDK's NodejsFunction, and deployed by the steps of docs/first-chain.md", async () => {
  await run('node_modules/esbuild/bin/esbuild', commandIn('docs/first-chain.md', 'esbuild'));
  const out = join(project.folder, 'cdk.out');
  const [bundled] = await Promise.all([
    run('app.ts', [], { CDK_OUTDIR: join(out, 'bundled') }),
    run('infra/app.ts', [], { CDK_OUTDIR: join(out, 'chain') }),
  ]);
  expect(bundled).toMatch(/index\.mjs +1\d\d\.\dkb/);
  const template = readFileSync(join(out, 'chain/Chain.template.json'), 'utf8');
  // A queue and a dead-letter queue for each task, and what the construct has for groups.
  expect(template.match(/"AWS::SQS::Queue"/g)?.length).toBeGreaterThanOrEqual(4);
}, 120_000);

test('the CommonJS worker of the docs runs', async () => {
  expect(await run('try.mjs', ['./worker.cjs'])).toContain('"message":"3 words');
}, 120_000);
