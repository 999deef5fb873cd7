import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeBlocks } from '../support/codeBlocks.ts';
import type { Combination } from './combinations.ts';

const root = new URL('../..', import.meta.url).pathname;

const tracing = `
import middy from '@middy/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { lambdaLogged, queued } from 'algernon-middy';
import { openTelemetryTracing } from 'algernon-middy/middlewares/openTelemetryTracing';
const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = provider.getTracer('everywhere');
const handler = middy(queued(async () => 'done')).use(lambdaLogged({ tracing: openTelemetryTracing({ tracer }) }));
await handler({ task_name: 'resize' }, { getRemainingTimeInMillis: () => 1000, awsRequestId: 'r' });
if (exporter.getFinishedSpans().length !== 1) throw new Error('The task has no span.');
`;

/** Middy 6 has no durable mode. */
const durable = `
import middy from '@middy/core';
import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';
import { queued, sqsSnsUnwrap } from 'algernon-middy';
const { executionModeDurableContext } = await import('@middy/core/DurableContext').catch(() => ({}));
if (executionModeDurableContext) {
  await LocalDurableTestRunner.setupTestEnvironment();
  const handler = middy(queued(async () => {}), { executionMode: executionModeDurableContext }).use(sqsSnsUnwrap());
  const execution = await new LocalDurableTestRunner({ handlerFunction: handler }).run({ payload: { task_name: 'resize' } });
  await LocalDurableTestRunner.teardownTestEnvironment();
  if (!execution.getError().errorMessage.includes('durable function replays')) throw new Error('A durable function is not refused.');
}
`;

const requiring = `
const names = ['', '/core', '/local', '/testing', '/middlewares/sendTask'];
for (const name of names) if (Object.keys(require('algernon-middy' + name)).length === 0) throw new Error(name);
`;

/** Installs the package with a combination of versions, and does with it what users do. Throws if something fails. */
export function tryCombination(
  tarball: string,
  { name, packages, force = false, nodes }: Combination,
  folder: string,
): void {
  const project = join(folder, name);
  mkdirSync(project);
  const run = (command: string, ...words: string[]) =>
    execFileSync(command, words, {
      cwd: project,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 300_000,
    });
  const bin = (tool: string) => join(project, 'node_modules/.bin', tool);
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  run('npm', 'install', '--no-audit', '--no-fund', ...(force ? ['--force'] : []), tarball, ...packages);

  writeFileSync(join(project, 'worker.ts'), codeBlocks('README.md')[0]?.code ?? '');
  for (const file of ['consumer.ts', 'wrong.ts'])
    copyFileSync(join(root, 'test/consumer', file), join(project, file));
  const strict = [
    '--strict',
    '--exactOptionalPropertyTypes',
    '--skipLibCheck',
    '--rewriteRelativeImportExtensions',
  ];
  const target = [
    '--target',
    'es2023',
    '--lib',
    'es2024,esnext.disposable',
    '--types',
    'node',
    '--module',
    'nodenext',
  ];
  run(bin('tsc'), ...strict, ...target, 'worker.ts', 'consumer.ts', 'wrong.ts');

  for (const { file, code } of codeBlocks('docs/bundlers.md', 'js')) {
    if (file.startsWith('vite')) continue;
    writeFileSync(join(project, file), code);
    run(bin(file.split('.')[0] ?? ''), file.startsWith('rollup') ? '--config' : 'build');
  }
  writeFileSync(join(project, 'tracing.mjs'), tracing);
  writeFileSync(join(project, 'durable.mjs'), durable);
  writeFileSync(join(project, 'requiring.cjs'), requiring);
  for (const version of nodes) {
    const node = installNode(version, folder);
    run(node, 'consumer.js');
    run(node, 'tracing.mjs');
    run(node, 'requiring.cjs');
    run(node, 'durable.mjs');
  }
}

/** Installs a version of Node from npm, once, and returns its program. */
export function installNode(version: string, folder: string): string {
  const home = join(folder, `node-${version}`);
  const install = ['install', '--silent', '--no-audit', '--no-fund', '--prefix', home, `node@${version}`];
  execFileSync('npm', install, { stdio: 'inherit' });
  return join(home, 'node_modules/.bin/node');
}
