import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { AlgernonError } from '../../../core/errors.ts';
import { type Command, defineCommand, UsageError } from '../command.ts';
import { readPort } from '../input.ts';
import type { Output } from '../output.ts';
import { plain } from '../output.ts';

/** Runs a worker on this machine, and shows what it does. */
export const dev: Command = defineCommand({
  name: 'dev',
  usage: 'WORKER',
  args: [1, 1],
  summary: 'run a worker on local AWS, with a live page',
  description:
    'Starts SNS, SQS and S3 on this machine, runs a worker with them, and serves a page that shows its chains as they happen.\n' +
    'The worker is a JavaScript or TypeScript file that exports handler (or FILE#NAME). It is loaded again when it or one of\n' +
    'its imports changes; messages stay in their queues. Without --tasks, the tasks are those of routeTasks, or of\n' +
    'defineTasks. Other commands in this folder use this local AWS as long as it runs.',
  options: {
    tasks: { type: 'string', value: 'NAMES', help: 'the tasks of the worker, such as load,report' },
    port: { type: 'string', value: 'NUMBER', help: 'the port of the page; default: a free one' },
    file: {
      type: 'string',
      value: 'FILE',
      help: 'where the run is written; default .algernon/runs/TIME.jsonl',
    },
    'visibility-timeout': {
      type: 'string',
      value: 'SECONDS',
      help: 'when a failed task runs again, unless failurePolicy says so; default 30',
    },
    'no-open': { type: 'boolean', help: 'do not open the page in a browser' },
  },
  examples: [
    ['algernon-middy dev worker.ts', 'a worker with routeTasks'],
    [
      'algernon-middy dev dist/worker.js#main --tasks load,report --port 4000',
      'another export, with its tasks',
    ],
    ['algernon-middy dev worker.ts --no-open --file run.jsonl', 'in CI: see the run later with open'],
  ],
  async run({ values, args: [worker = ''], out }) {
    const port = readPort(values.port);
    const tasks = readTasks(values.tasks);
    const visibilityTimeoutSeconds = readSeconds(values['visibility-timeout']);
    const [path = ''] = worker.split('#');
    if (!existsSync(path)) throw new UsageError(`the worker ${path} does not exist.`);
    const { isInteractive, openBrowser, untilStopped } = await import('../dev/openBrowser.ts');
    const { makeDevFolder, newRunFile, writeDevFile } = await import('../dev/devFiles.ts');
    const { startDev } = await import('../dev/startDev.ts');
    const stopped = untilStopped();
    await makeDevFolder();
    const file = values.file ?? (await newRunFile());
    const running = await startDev({
      worker,
      tasks,
      port,
      file,
      visibilityTimeoutSeconds,
      toStderr: out.isJson,
      onLoad: (outcome) => showLoad(path, outcome, out),
      onError: (error) => out.remark(error.message),
    }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EADDRINUSE'
        ? new AlgernonError('PORT_IN_USE', `The port ${port} is in use. Choose another one: --port NUMBER`)
        : error;
    });
    const { aws, url } = running;
    const { endpoint, region, bucket } = aws;
    const removeDevFile = await writeDevFile({ endpoint, region, bucket, url, file: resolve(file) });
    try {
      out.json({ url, endpoint, region, bucket, tasks: running.tasks, file });
      out.say(hints(worker, url, running.tasks, file));
      if (!values['no-open'] && isInteractive()) openBrowser(url);
      await stopped;
      out.say('Stopping.');
    } finally {
      await removeDevFile();
      await running.stop();
    }
    return 0;
  },
});

function readTasks(names: string | undefined): string[] | undefined {
  if (names === undefined) return undefined;
  const tasks = names.split(',').map((name) => name.trim());
  if (tasks.some((name) => name === ''))
    throw new UsageError(`--tasks must be names such as a,b, not ${names}.`);
  return tasks;
}

function readSeconds(text = '30'): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 43_200) {
    throw new UsageError(`--visibility-timeout must be from 1 to 43200 seconds, not ${text}.`);
  }
  return Number(text);
}

function showLoad(
  path: string,
  { error, isReload }: { error?: string; isReload: boolean },
  out: Output,
): void {
  if (error !== undefined) {
    out.remark(`${path} does not run. Messages wait in their queues until it changes.\n${error}`);
  } else if (isReload) out.say(`${new Date().toLocaleTimeString()}  ${plain(path)} was loaded again.`);
}

function hints(worker: string, url: string, tasks: readonly string[], file: string): string {
  const [task = 'TASK'] = tasks;
  return [
    `${plain(worker)} runs here, with SNS, SQS and S3 on this machine.`,
    '',
    `  Page   ${url}`,
    `  Tasks  ${plain(tasks.join(', ') || 'none so far')}`,
    `  Run    ${plain(file)}`,
    '',
    'Send a task on the page, or from another terminal in this folder:',
    '',
    `  npx algernon-middy send ${plain(task)} '{}'`,
    '',
    'Ctrl-C stops.',
  ].join('\n');
}
