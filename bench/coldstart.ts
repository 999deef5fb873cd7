/**
 * Measures the import of the README's worker, bundled as docs/deploying.md says, beside Powertools' batch and logger with the
 * same clients; and the first invocation, with and without `preloadClients`.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { type BuildOptions, build } from 'esbuild';
import { startLocalAws } from '../local/index.ts';
import { codeBlocks } from '../test/support/codeBlocks.ts';
import { sqsRecord } from '../test/support/sqsRecord.ts';
import { loadedAtStart } from './loadedAtStart.ts';
import { quantile } from './pairedRounds.ts';
import { table } from './table.ts';

const runs = 21;
const goal = 0.25;
const root = new URL('..', import.meta.url).pathname;
const run = promisify(execFile);

const readme = codeBlocks('README.md')[0]?.code ?? '';
const peer = `
  import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
  import { Logger } from '@aws-lambda-powertools/logger';
  import { S3Client } from '@aws-sdk/client-s3';
  import { SNSClient } from '@aws-sdk/client-sns';
  const logger = new Logger();
  const processor = new BatchProcessor(EventType.SQS);
  export const clients = [new S3Client(), new SNSClient()];
  const handleRecord = async (record) => logger.info('message', { record });
  export const handler = (event, context) => processPartialResponse(event, handleRecord, processor, { context });
`;
const preloading = `import { preloadClients } from 'algernon-middy'; await preloadClients(); ${readme}`;

const module = {
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  mainFields: ['module', 'main'],
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
} as const satisfies BuildOptions;
const split = { ...module, splitting: true } as const satisfies BuildOptions;

/** The forms in docs/deploying.md, the best first. */
const forms: readonly (readonly [name: string, options: BuildOptions])[] = [
  ['ES module, split, SDK external', { ...split, external: ['@aws-sdk/*', '@smithy/*'] }],
  ['ES module, split, SDK bundled', split],
  ['ES module, one file', module],
  ['CommonJS, one file', { format: 'cjs', outExtension: { '.js': '.cjs' } }],
];

interface Bundle {
  readonly file: string;
  /** The bytes of the entry with the chunks that it always loads, and of all files. */
  readonly bytes: readonly [initial: number, all: number];
}

interface Contender {
  readonly name: string;
  readonly ours: Bundle;
  readonly peer: Bundle;
  readonly times: { readonly ours: number[]; readonly peer: number[] };
}

// Packages that are not bundled must be found from here.
const folder = mkdtempSync(join(root, 'node_modules/.coldstart-'));

async function bundle(name: string, contents: string, options: BuildOptions): Promise<Bundle> {
  const outdir = join(folder, name);
  const {
    metafile: { outputs },
  } = await build({
    ...options,
    stdin: { contents, resolveDir: root, loader: 'ts' },
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    entryNames: 'index',
    outdir,
    metafile: true,
    logLevel: 'error',
    alias: { 'algernon-middy': join(root, 'dist/modules/middlewares/index.js') },
  });
  const entry = Object.keys(outputs).find((output) => /\/index\.[cm]js$/.test(output)) ?? '';
  const bytesOf = (files: Iterable<string>) =>
    [...files].reduce((sum, file) => sum + (outputs[file]?.bytes ?? 0), 0);
  return {
    file: resolve(entry),
    bytes: [bytesOf(loadedAtStart(outputs, entry)), bytesOf(Object.keys(outputs))],
  };
}

/** The JSON that a script prints in a new process. */
async function measured<T>(script: string, env: NodeJS.ProcessEnv = {}): Promise<T> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, AWS_REGION: 'us-east-1', ...env },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

const importTime = (file: string) =>
  measured<number>(`
    const start = performance.now();
    await import(${JSON.stringify(file)});
    console.log(performance.now() - start);
    process.exit();`);

const milliseconds = (times: readonly number[]) => quantile(times, 0.5).toFixed(1);
const kilobytes = ({ bytes }: Bundle) => bytes.map((count) => Math.round(count / 1000)).join(' of ');

await run('npm', ['run', '--silent', 'build'], { cwd: root });
try {
  const contenders: Contender[] = [];
  for (const [index, [name, options]] of forms.entries()) {
    contenders.push({
      name,
      ours: await bundle(`ours-${index}`, readme, options),
      peer: await bundle(`peer-${index}`, peer, options),
      times: { ours: [], peer: [] },
    });
  }
  const empty = await bundle('empty', 'export const nothing = 0;', module);
  const emptyTimes: number[] = [];
  // In turn, so that load on the machine affects all.
  for (let round = 0; round < runs; round++) {
    emptyTimes.push(await importTime(empty.file));
    for (const { ours, peer, times } of contenders) {
      times.ours.push(await importTime(ours.file));
      times.peer.push(await importTime(peer.file));
    }
  }
  /** Ours in one form, in proportion to Powertools' in another, in the same round. */
  const ratioOf = (own: number, other: number) => {
    const others = contenders[other]?.times.peer ?? [];
    const ratios = contenders[own]?.times.ours.map((time, round) => time / (others[round] ?? Number.NaN));
    return quantile(ratios ?? [], 0.5).toFixed(2);
  };
  const imports = contenders.map(({ name, ours, times }, index) => [
    name,
    kilobytes(ours),
    milliseconds(times.ours),
    milliseconds(times.peer),
    ratioOf(index, index),
  ]);

  const firstRows: string[][] = [];
  const aws = await startLocalAws();
  try {
    const topic = await aws.sns.send(new CreateTopicCommand({ Name: 'describe' }));
    const functionArn = `${topic.TopicArn?.replace(':sns:', ':lambda:').replace(/[^:]*$/, '')}function:worker`;
    const task = { task_name: 'resize', task_kwargs: { image: 'cat.png', width: 200 }, callback: 'describe' };
    const invoke = (file: string) =>
      measured<[number, number, number]>(
        `
        const start = performance.now();
        const { handler } = await import(${JSON.stringify(file)});
        const imported = performance.now();
        const invoke = async () => {
          const context = { awsRequestId: 'r', functionName: 'worker', invokedFunctionArn: ${JSON.stringify(functionArn)}, getRemainingTimeInMillis: () => 30_000 };
          const answer = await handler({ Records: [${JSON.stringify(sqsRecord(task))}] }, context);
          if (answer.batchItemFailures.length > 0) throw new Error('the task failed');
        };
        await invoke();
        const first = performance.now();
        await invoke();
        console.log(JSON.stringify([imported - start, first - imported, performance.now() - first]));
        process.exit();`,
        aws.env,
      );
    const workers = [
      ['no', await bundle('first', readme, split)],
      ['yes', await bundle('first-preloaded', preloading, split)],
    ] as const;
    const times = workers.map(([name, { file }]) => ({ name, file, taken: [] as number[][] }));
    for (let round = 0; round < runs; round++) {
      for (const { file, taken } of times) taken.push(await invoke(file));
    }
    for (const { name, taken } of times) {
      firstRows.push([
        name,
        ...[0, 1, 2].map((at) => milliseconds(taken.map((one) => one[at] ?? Number.NaN))),
      ]);
    }
  } finally {
    await aws.stop();
  }

  console.log(
    [
      "The README's worker, bundled as docs/deploying.md says, and Powertools' batch and logger with clients of S3 and SNS, bundled",
      `the same way: the time to import it in a new process, in milliseconds, the median of ${runs}, and ours in proportion to`,
      "Powertools'. The size is what is loaded at import, of all files. Importing an empty file takes",
      `${milliseconds(emptyTimes)} ms, which is in every figure.\n`,
      table(['bundle', 'kB', 'ours', 'Powertools', 'in proportion'], imports),
      '\nThe second form against a local AWS, with and without `await preloadClients()`, in milliseconds. A task reads nothing, stores',
      'its result and sends its callback. In Lambda the first column has a full CPU at every memory size, and the others do not.\n',
      table(['preloadClients', 'import', 'first invocation', 'second'], firstRows),
      '\nGoals:\n',
      `- import at most ${goal} of Powertools', both with the SDK external: ${ratioOf(0, 0)}`,
      `- ours split, and Powertools' as one file: ${ratioOf(1, 2)}`,
      `- both split: ${ratioOf(1, 1)}`,
    ].join('\n'),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
