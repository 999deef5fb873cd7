import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkTask } from '../../../core/batch/unwrapTask.ts';
import type { Task } from '../../../core/tasks/task.ts';
import { type Command, defineCommand, UsageError } from '../command.ts';
import { parseTyped, readInput } from '../input.ts';
import { plain } from '../output.ts';
import type { Finding } from '../prove/findingsOf.ts';
import type { Proof, ProveOptions } from '../prove/proveTask.ts';

/** Tells which tasks of a worker are not idempotent. */
export const prove: Command = defineCommand({
  name: 'prove',
  usage: 'WORKER',
  args: [1, 1],
  summary: 'tell which tasks of a worker are not idempotent, and what they did twice',
  description:
    'Delivers tasks to a worker on local AWS and disturbs them: twice in turn, twice at once, killed at each call to AWS, with\n' +
    'each call failing, and with each answer lost. After each disturbance the message is delivered again to a new instance.\n' +
    'Objects, messages and files must then be as after one delivery. Calls to anything but SNS, SQS and S3 are real and are\n' +
    'made many times: give the worker test doubles for them.',
  options: {
    task: {
      type: 'string',
      multiple: true,
      value: 'JSON',
      help: 'a task, such as \'{"task_name":"a","task_kwargs":{}}\'',
    },
    tasks: { type: 'string', value: 'FILE', help: 'a JSON list of tasks, or "-" for standard input' },
    setup: {
      type: 'string',
      value: 'FILE',
      help: 'a module whose default export gets { aws } before each experiment',
    },
    files: {
      type: 'string',
      multiple: true,
      value: 'FOLDER',
      help: 'watch files here, besides the temporary folder',
    },
    timeout: { type: 'string', value: 'SECONDS', help: 'the time-out of the function; default 30' },
  },
  examples: [
    ['algernon-middy prove worker.ts --tasks samples.json', 'all sample tasks'],
    [
      'algernon-middy prove worker.ts --task \'{"task_name": "charge", "task_kwargs": {"id": 7}}\' --json',
      'one task',
    ],
  ],
  async run({ values, args: [worker = ''], out }) {
    const { proveTask } = await import('../prove/proveTask.ts');
    const tasks = await readTasks(worker, values.task ?? [], values.tasks);
    const options: ProveOptions = {
      worker,
      folders: values.files ?? [],
      timeoutSeconds: readSeconds(values.timeout),
      lanes: Math.min(4, availableParallelism()),
      setup: values.setup === undefined ? undefined : await loadSetup(values.setup),
    };
    const proofs: Proof[] = [];
    for (const task of tasks) {
      const proof = await proveTask(task, options);
      proofs.push(proof);
      out.say(describe(proof));
    }
    out.json(proofs.map((proof) => ({ ...proof, isIdempotent: proof.findings.length === 0 })));
    return proofs.some(({ findings }) => findings.length > 0) ? 1 : 0;
  },
});

async function readTasks(
  worker: string,
  texts: readonly string[],
  file: string | undefined,
): Promise<Task<object>[]> {
  const listed = file === undefined ? [] : parseTyped((await readInput(file)).toString('utf8'), file);
  if (!Array.isArray(listed)) throw new UsageError(`${file} must have a list of tasks.`);
  const given = [...texts.map((text) => parseTyped(text, '--task')), ...listed];
  const samples =
    given.length > 0 ? given : (await routedTasksOf(worker)).map((task_name) => ({ task_name }));
  if (samples.length === 0)
    throw new UsageError('the worker does not use routeTasks: give tasks with --task or --tasks.');
  return samples.map((sample) => {
    try {
      return checkTask(sample) as Task<object>;
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  });
}

async function routedTasksOf(worker: string): Promise<readonly string[]> {
  const { startThread } = await import('../prove/workerThread.ts');
  const thread = startThread(process.env);
  try {
    return await thread.tasksOf(worker);
  } finally {
    await thread.kill();
  }
}

function readSeconds(text = '30'): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 900))
    throw new UsageError(`--timeout must be from 0 to 900 seconds, not ${text}.`);
  return seconds;
}

async function loadSetup(file: string): Promise<NonNullable<ProveOptions['setup']>> {
  const module = (await import(pathToFileURL(resolve(file)).href)) as { default?: unknown };
  if (typeof module.default !== 'function')
    throw new UsageError(`${file} has no default export that is a function.`);
  return module.default as NonNullable<ProveOptions['setup']>;
}

/** How many findings of a task are shown. `--json` has all. */
const maxShown = 8;

function describe({ task, experiments, calls, findings, again }: Proof): string {
  const verdict = findings.length === 0 ? 'is idempotent' : 'is NOT idempotent';
  const lines = groupFindings(findings);
  return [
    `${plain(task.task_name)} ${verdict}: ${experiments} experiments, ${calls.length} calls to AWS`,
    ...lines.slice(0, maxShown),
    ...(lines.length > maxShown ? [`  and ${lines.length - maxShown} more; see --json`] : []),
    ...again.map(
      (target) => `  note: sends the same message to ${plain(target)} again, which must be idempotent too`,
    ),
  ].join('\n');
}

/** One line for each effect, with the experiments that showed it. */
function groupFindings(findings: readonly Finding[]): string[] {
  const groups = Map.groupBy(findings, ({ problem, effect, error }) =>
    effect === undefined
      ? `fails when it is repeated: ${plain(error)}`
      : `${wording[problem][effect.kind]} ${named(effect.target)}`,
  );
  return [...groups].map(([text, group]) => {
    const [first, ...others] = new Set(group.map(({ experiment }) => experiment));
    return `  ${text} (${named(first)}${others.length > 0 ? ` and ${others.length} more` : ''})`;
  });
}

/** A name without the parts that differ from one experiment to the next. */
function named(text: string | undefined): string {
  return plain(text)
    .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/gi, '<uuid>')
    .replace(/\d{10,}(\.\d+)?/g, '<time>');
}

const wording: Record<Finding['problem'], Record<string, string>> = {
  twice: {
    object: 'writes another object, or other content:',
    deletion: 'deletes another object:',
    message: 'sends another message to',
    file: 'writes another file, or other content:',
  },
  missing: {
    object: 'never writes',
    deletion: 'never deletes',
    message: 'never sends the message to',
    file: 'never writes',
  },
  fails: {},
};
