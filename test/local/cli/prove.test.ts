import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../../..', import.meta.url));
let folder: string;

beforeAll(() => {
  mkdirSync(join(root, 'coverage'), { recursive: true });
  folder = mkdtempSync(join(root, 'coverage', 'prove-'));
  // Without the SDK, each of the many instances of the worker starts in no time.
  writeFileSync(
    join(folder, 'worker.js'),
    `import { randomUUID } from 'node:crypto';
     import { appendFileSync } from 'node:fs';
     import { tmpdir } from 'node:os';
     import { queued, routeTasks, unwrapTask } from 'algernon-middy/core';
     const call = async (key, init) => {
       const response = await fetch(process.env.AWS_ENDPOINT_URL + '/algernon-local/' + key, init);
       if (response.status >= 500) throw new Error('S3 says ' + response.status);
       return response.status === 200 ? response.text() : undefined;
     };
     const put = (key, body) => call(key, { method: 'PUT', body });
     const work = routeTasks({
       steady: async ({ name }) => { await put(name, await call('input')); },
       random: async () => {
         appendFileSync(tmpdir() + '/log.txt', 'a line');
         await put(randomUUID(), 'x');
       },
       careless: async () => {
         if (await call('done')) return;
         await put('done', 'yes');
         await put('charged', 'yes');
       },
       broken: () => { throw new Error('always'); },
     });
     export const handler = queued((record, context, extras) => work(unwrapTask(record), context, extras));`,
  );
  writeFileSync(
    join(folder, 'setup.js'),
    `import { PutObjectCommand } from '@aws-sdk/client-s3';
     export default ({ aws }) => aws.s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key: 'input', Body: 'a' }));`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(...words: string[]): Promise<{ code: unknown; out: string; error: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: unknown; out: string; error: string }>();
  const command = [join(root, 'dist/local/cli.js'), 'prove', ...words];
  execFile(process.execPath, command, { cwd: folder }, (error, out, text) =>
    resolve({ code: error?.code ?? 0, out, error: text }),
  );
  return promise;
}

const task = (task_name: string, task_kwargs = {}) => ['--task', JSON.stringify({ task_name, task_kwargs })];

test('an idempotent task passes every experiment', async () => {
  const { code, out, error } = await run(
    'worker.js',
    ...task('steady', { name: 'a' }),
    '--setup',
    'setup.js',
    '--json',
  );
  expect([code, error]).toEqual([0, '']);
  expect(JSON.parse(out)).toEqual([
    {
      task: { task_name: 'steady', task_kwargs: { name: 'a' } },
      experiments: 8,
      calls: ['GetObject algernon-local/input', 'PutObject algernon-local/a'],
      findings: [],
      again: [],
      isIdempotent: true,
    },
  ]);
}, 180_000);

test('others are told what they did twice, or never', async () => {
  const [careless, shown, broken, unknown] = await Promise.all([
    run('worker.js', ...task('careless'), '--json'),
    run('worker.js', ...task('random')),
    run('worker.js', ...task('broken')),
    run('worker.js', '--task', '{"name":"a"}'),
  ]);
  expect(shown).toMatchObject({ code: 1, error: '' });
  expect(shown.out).toContain('random is NOT idempotent: 6 experiments, 1 calls to AWS');
  expect(shown.out).toMatch(
    /writes another object, or other content: algernon-local\/<uuid> \(.* and \d more\)/,
  );
  expect(shown.out).toMatch(/writes another file, or other content: \$TMPDIR\/log.txt/);
  const [{ findings }] = JSON.parse(careless.out) as [
    { findings: { experiment: string; problem: string }[] },
  ];
  expect(findings.map(({ problem, experiment }) => `${problem}: ${experiment}`).sort()).toEqual([
    'missing: PutObject algernon-local/charged fails',
    'missing: killed after PutObject algernon-local/done',
    'missing: killed before PutObject algernon-local/charged',
    'missing: the answer of PutObject algernon-local/done is lost',
  ]);
  expect([broken.code, broken.error]).toEqual([
    1,
    expect.stringContaining('broken fails without a fault: Error: always'),
  ]);
  expect([unknown.code, unknown.error]).toEqual([2, expect.stringContaining('task_name')]);
}, 180_000);
