import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = new URL('../..', import.meta.url).pathname;

const head = `
import { defineTasks, failurePolicy, fanOut, queued, routeTasks, sendGroup, sendTask, typed } from 'algernon-middy';
const topics = {};
const tasks = defineTasks({
  load: { kwargs: typed<{ symbol: string }>(), result: typed<{ prices: number[] }>() },
  analyse: { kwargs: typed<{ prices: number[] }>(), result: typed<{ mean: number }>() },
  report: { kwargs: typed<{ mean: number }>(), result: typed<void>() },
  album: { kwargs: typed<{ results: { mean: number }[] }>() },
});
`;
const task_kwargs = `task_kwargs: { symbol: 'IBM' }`;

/** Wrong calls, and a part of the compiler's error. */
const wrong: readonly (readonly [call: string, error: RegExp])[] = [
  ['queued(() => {}, { concurrent: 1 });', /Did you mean to write 'concurrency'\?/],
  ['failurePolicy({ backof: [1] });', /Did you mean to write 'backoff'\?/],
  [
    `sendTask({ task_name: 'lode', ${task_kwargs} }, { tasks });`,
    /Type '"lode"' is not assignable to type '"album" \| "analyse" \| "load" \| "report"'/,
  ],
  [
    `sendTask({ task_name: 'load', task_kwargs: { symbol: 7 } }, { tasks });`,
    /Type 'number' is not assignable to type 'string'/,
  ],
  [
    `sendTask({ task_name: 'load', task_kwargs: { symbol: 'IBM', rows: 1 } }, { tasks });`,
    /'rows' does not exist in type/,
  ],
  [`sendTask({ task_name: 'load' }, { tasks });`, /Property 'task_kwargs' is missing/],
  [
    `sendTask({ task_name: 'load', ${task_kwargs}, callback: 'report' }, { tasks });`,
    /to type '"the result of load does not fit the arguments of report"'/,
  ],
  [
    `sendTask({ task_name: 'load', ${task_kwargs}, callback: 'load#analyze' }, { tasks });`,
    /to type '"there is no task analyze"'/,
  ],
  [
    `sendTask({ task_name: 'load', ${task_kwargs} }, { tasks, topcs: topics });`,
    /Did you mean to write 'topics'\?/,
  ],
  [`sendTask({ name: 'load' }, { topics });`, /'name' does not exist in type 'Task<object>'/],
  [
    `sendGroup([{ task_name: 'load', task_kwargs: { symbol: 7 } }], { then: 'album', tasks });`,
    /Type 'number' is not assignable to type 'string'/,
  ],
  [
    `fanOut([{ task_name: 'load', ${task_kwargs} }], { then: 'album', tasks });`,
    /to type '"the results of the branches do not fit the arguments of album"'/,
  ],
  [`fanOut([{ task_name: 'load' }], { then: 'album', failures: 'colect' });`, /Did you mean '"collect"'\?/],
  [`routeTasks({ lode: () => ({ prices: [1] }) }, { tasks });`, /'lode' does not exist in type/],
  [
    `routeTasks({ load: async () => ({ prices: ['1'] }) }, { tasks });`,
    /Type 'string' is not assignable to type 'number'/,
  ],
  [
    `routeTasks({ load: ({ symbool }) => ({ prices: [symbool] }) }, { tasks });`,
    /Property 'symbool' does not exist on type '\{ symbol: string; \}'/,
  ],
  [`routeTasks({ load: 'text' });`, /Type 'string' is not assignable to type 'TaskFunction'/],
];

/** Compiles each source as a file, and returns its errors. */
function compile(sources: readonly string[]): string[] {
  mkdirSync(join(root, 'coverage'), { recursive: true });
  // Within the project, so that its packages are found, and in a folder that git ignores.
  const folder = mkdtempSync(join(root, 'coverage', 'types-'));
  try {
    for (const [index, source] of sources.entries()) writeFileSync(join(folder, `call${index}.ts`), source);
    const paths = { 'algernon-middy': [join(root, 'middlewares/index.ts')] };
    const compilerOptions = { rootDir: root, paths, noUnusedLocals: false };
    const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['.'], exclude: [] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules/.bin/tsc');
    const { stdout } = spawnSync(tsc, ['-p', folder, '--pretty', 'false'], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    const errors = sources.map(() => '');
    let index = 0;
    for (const line of stdout.split('\n')) {
      index = Number(/call(\d+)\.ts\(/.exec(line)?.[1] ?? index);
      errors[index] += `${line}\n`;
    }
    return errors;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('the compiler says one clear thing about a wrong call', () => {
  const errors = compile(wrong.map(([call]) => `${head}${call}`));
  expect(errors.filter((text) => /overload/i.test(text))).toEqual([]);
  for (const [index, [call, error]] of wrong.entries()) {
    expect({ call, error: errors[index] }).toEqual({ call, error: expect.stringMatching(error) });
  }
}, 60_000);
