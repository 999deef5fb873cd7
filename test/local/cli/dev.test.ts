import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { FileEntry } from '../../../local/dev/protocol.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const children: ChildProcess[] = [];
let folder: string;

beforeAll(() => {
  // Node finds this package by its own name in its own folder, which git ignores.
  mkdirSync(join(root, 'coverage'), { recursive: true });
  folder = mkdtempSync(join(root, 'coverage', 'dev-'));
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Started {
  /** The first line of its output. */
  line: Promise<string>;
  /** Everything that it has written to standard error. */
  errors(): string;
  end: Promise<{ code: number | null; out: string }>;
  interrupt(): void;
}

function start(...words: string[]): Started {
  const child = spawn(process.execPath, [join(root, 'dist/local/cli.js'), ...words], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let out = '';
  let errors = '';
  const line = Promise.withResolvers<string>();
  const end = Promise.withResolvers<{ code: number | null; out: string }>();
  child.stdout.on('data', (text) => {
    out += text;
    if (out.includes('\n')) line.resolve(out.slice(0, out.indexOf('\n')));
  });
  child.stderr.on('data', (text) => {
    errors += text;
  });
  child.on('close', (code) => {
    line.resolve(errors);
    end.resolve({ code, out });
  });
  return {
    line: line.promise,
    errors: () => errors,
    end: end.promise,
    interrupt: () => child.kill('SIGINT'),
  };
}

/** The content of the file with which other commands find the dev server. */
function devServer(): { url: string; file: string } {
  return JSON.parse(readFileSync(join(folder, '.algernon/dev.json'), 'utf8'));
}

const entriesIn = (file: string): FileEntry[] =>
  readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as FileEntry);

/** Waits until the file of a run has an entry. */
async function entry(file: string, isIt: (entry: FileEntry) => boolean): Promise<FileEntry> {
  for (;;) {
    const found = entriesIn(file).find(isIt);
    if (found) return found;
    await pause(20);
  }
}

const worker = (use = '') => `
  import {
    callbackPublisher, defineTasks, lambdaLogged, queued, routeTasks, sqsSnsUnwrap, storedDataHydrate,
  } from 'algernon-middy';
  import middy from '@middy/core';
  import { factor } from './factor.ts';
  export const tasks = defineTasks({ double: {}, show: {}, elsewhere: {} });
  export const main = middy(
    queued(
      routeTasks({
        double: ({ n }: { n: number }) => ({ n: n * factor }),
        show: ({ n }: { n: number }) => console.warn('the result is %d', n),
      }),
    ),
  )
    ${use}
    .use(sqsSnsUnwrap())
    .use(storedDataHydrate())
    .use(callbackPublisher());`;

test('dev runs a worker, loads it again on a change, and open shows its file', async () => {
  writeFileSync(join(folder, 'worker.ts'), worker());
  writeFileSync(join(folder, 'factor.ts'), 'export const factor: number = 2;');
  mkdirSync(join(folder, '.algernon/runs'), { recursive: true });
  for (let day = 10; day < 32; day++) writeFileSync(join(folder, `.algernon/runs/2020-01-${day}.jsonl`), '');

  const dev = start('dev', 'worker.ts#main', '--json', '--file', 'run.jsonl');
  const { url, endpoint, tasks } = JSON.parse(await dev.line);
  expect(tasks).toEqual(['double', 'show', 'elsewhere']);
  const devFile = join(folder, '.algernon/dev.json');
  expect(JSON.parse(readFileSync(devFile, 'utf8'))).toEqual({
    endpoint,
    region: 'us-east-1',
    bucket: 'algernon-local',
    url,
    file: join(folder, 'run.jsonl'),
  });
  expect(statSync(devFile).mode & 0o777).toBe(0o600);

  const chain = 'double#show#elsewhere';
  const sent = start('send', 'double', '{"n":21}', '--callback', chain, '--chain-id', 'c-1');
  expect(await sent.end).toMatchObject({ code: 0 });
  await entry(
    'run.jsonl',
    ({ kind, ...rest }) => kind === 'log' && 'message' in rest && /is 42$/.test(rest.message),
  );

  // A syntax error: the server stays, and so do messages.
  writeFileSync(join(folder, 'factor.ts'), 'export const factor = ;');
  const broken = await entry('run.jsonl', (each) => each.kind === 'reload');
  expect(broken).toMatchObject({ error: expect.stringContaining('factor.ts:1') });
  const token = new URL(url).searchParams.get('token');
  const post = await fetch(new URL('/api/send', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{"text":"{\\"task_name\\":\\"double\\",\\"task_kwargs\\":{\\"n\\":21},\\"callback\\":\\"double#show\\"}"}',
  });
  const { chainId } = (await post.json()) as { chainId: string };

  // From now on, the console belongs to lambdaLogged.
  writeFileSync(join(folder, 'worker.ts'), worker('.use(lambdaLogged())'));
  // Node does not run an enum, so esbuild bundles the worker. The message that waited gets the new code.
  writeFileSync(join(folder, 'factor.ts'), 'enum Factor { three = 3 }\nexport const factor = Factor.three;');
  await entry(
    'run.jsonl',
    (each) => each.kind === 'log' && each.chainId === chainId && /is 63$/.test(each.message),
  );
  await entry('run.jsonl', (each) => each.kind === 'reload' && each.error === undefined);
  const lines = entriesIn('run.jsonl').flatMap((each) => (each.kind === 'log' ? [each] : []));
  expect(lines.filter((line) => line.chainId === 'c-1')).toMatchObject([{ level: 'WARN', fields: {} }]);
  expect(lines.filter((line) => line.chainId === chainId)).toMatchObject([
    { level: 'WARN', message: 'the result is 63', fields: { task_name: 'show' } },
  ]);

  const [shown, json, unknown] = [
    start('chain', 'c-1'),
    start('chain', chainId, '--json'),
    start('chain', 'c-2'),
  ];
  expect((await shown.end).out).toMatch(
    new RegExp(
      [
        String.raw`^c-1  open  \d{4}-\d\d-\d\d [\d:.]{12}  [\d.]+ s`,
        String.raw`  double  \S+  succeeded`,
        String.raw`    #1  [\d:.]{12}  waited [\d.]+ s, ran [\d.]+ s, stored [\d.]+ s, published [\d.]+ s  succeeded`,
        String.raw`    show  \S+  succeeded`,
        '      #1  .*  succeeded',
        String.raw`      elsewhere  \S+  waiting`,
        '$',
      ].join('\n'),
    ),
  );
  expect(JSON.parse((await json.end).out)).toMatchObject({
    chainId,
    status: 'succeeded',
    tasks: [{ taskName: 'double' }, { taskName: 'show', depth: 1 }],
  });
  expect(await unknown.end).toMatchObject({ code: 1 });
  expect(unknown.errors()).toContain('There is no event of the chain c-2.');

  dev.interrupt();
  expect(await dev.end).toMatchObject({ code: 0 });
  expect(existsSync(devFile)).toBe(false);
  expect(dev.errors()).toContain('Messages wait in their queues until it changes.');

  // The last line of a file may be cut off, and anything may be in one.
  appendFileSync(join(folder, 'run.jsonl'), '{"kind":"event","event":{"type":"sent"}}\nnull\n{"kind":"ev');
  const open = start('open', 'run.jsonl', '--json', '--no-open');
  const page = JSON.parse(await open.line);
  expect(page).toMatchObject({ skipped: 3, entries: entriesIn('run.jsonl').length - 2 });
  expect(open.errors()).toContain('3 of ');
  const refused = await fetch(new URL('/api/dead-letters', page.url), {
    headers: { authorization: `Bearer ${new URL(page.url).searchParams.get('token')}` },
  });
  expect(refused.status).toBe(409);
  open.interrupt();
  expect(await open.end).toMatchObject({ code: 0 });
}, 60_000);

test('dev survives a worker without tasks, and one that ends itself', async () => {
  const code = (double: string) => `
    import { queued, routeTasks, unwrapTask } from 'algernon-middy/core';
    const work = routeTasks({ double: ${double} });
    export const handler = queued((record, context, extras) => work(unwrapTask(record), context, extras));`;
  const write = (text: string) => writeFileSync(join(folder, 'bare.mjs'), text);
  write('export const handler = async () => {};');
  const dev = start('dev', 'bare.mjs', '--no-open', '--visibility-timeout', '40000');
  await dev.line;
  expect(dev.errors()).toContain('Use routeTasks or defineTasks in it, or give their names: --tasks a,b');
  const { url, file } = devServer();
  const run = file.slice(folder.length + 1);

  write(
    code('() => { setTimeout(() => { throw new Error("outside") }, 10); return new Promise(() => {}); }'),
  );
  await entry(run, ({ kind, ...rest }) => kind === 'tasks' && 'tasks' in rest && rest.tasks.length === 1);
  await entry(run, (each) => each.kind === 'reload' && each.error === undefined);
  const [sent, second] = [
    start('send', 'double'),
    start('dev', 'bare.mjs', '--port', new URL(url).port, '--file', 'other.jsonl'),
  ];
  expect(await sent.end).toMatchObject({ code: 0 });
  await entry(run, (each) => each.kind === 'reload' && /outside/.test(each.error ?? ''));
  expect(await second.end).toMatchObject({ code: 1 });
  expect(second.errors()).toContain('is in use. Choose another one: --port NUMBER');

  // The message that was in its hands comes back at once, and not after 40,000 s.
  write(code('() => {}'));
  const done = await entry(run, (each) => each.kind === 'event' && each.event.type === 'succeeded');
  expect(done).toMatchObject({ event: { taskName: 'double', attempt: 2 } });

  dev.interrupt();
  expect(await dev.end).toMatchObject({ code: 0, out: expect.stringContaining('Tasks  none so far') });
  const runs = readdirSync(join(folder, '.algernon/runs')).sort();
  expect(runs).toHaveLength(20);
  expect(runs[0]).toBe('2020-01-13.jsonl');
  expect(readFileSync(join(folder, '.algernon/.gitignore'), 'utf8')).toBe('*\n');
}, 60_000);
