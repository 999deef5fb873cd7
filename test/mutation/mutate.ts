/**
 * Runs the mutation tester: `npm run mutate [-- --sample 10] [-- FOLDER_OR_FILE…]`. Without folders, all of core/ and middlewares/.
 *
 * It changes the code in one place at a time, runs the tests that reach the change, and lists the changes that no test notices. The
 * report of each folder is coverage/mutation/report.FOLDER.json. `--sample 10` mutates a tenth of the functions, always the same,
 * and so estimates the score of a folder in minutes.
 *
 * StrykerJS is installed in coverage/mutation, from where it finds the packages of the project. One run is one row of suites.ts,
 * because a change in code that runs at import is tried with all tests of the run.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { sampled } from './sampled.ts';
import { printScore, readScore, type Score } from './score.ts';
import { filesOf, rowsFor } from './suites.ts';

const root = new URL('../..', import.meta.url).pathname;
const folder = join(root, 'coverage/mutation');
const version = '10.0.0';

const { values, positionals } = parseArgs({
  options: { sample: { type: 'string', default: '100' } },
  allowPositionals: true,
});
const percent = Number(values.sample);
if (!(percent > 0 && percent <= 100)) throw new RangeError('--sample takes a percentage from 1 to 100');

function settings(report: string, files: readonly string[]) {
  return {
    testRunner: 'vitest',
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
    plugins: ['@stryker-mutator/vitest-runner', join(root, 'test/mutation/errorTexts.ts')],
    ignorers: ['errorTexts'],
    coverageAnalysis: 'perTest',
    mutate: files.flatMap((file) => (percent < 100 ? sampled(root, file, percent) : [file])),
    ignorePatterns: ['/coverage', '/dist', '/examples/cdk/dist'],
    disableTypeChecks: false,
    // StrykerJS rewrites a tsconfig.json by functions that TypeScript 7 does not have. It needs none.
    tsconfigFile: 'none',
    reporters: process.stdout.isTTY === true ? ['progress', 'json'] : ['json'],
    jsonReporter: { fileName: report },
    tempDirName: 'coverage/mutation/sandboxes',
    timeoutMS: 10_000,
    concurrency: Number(process.env['MUTATE_PROCESSES'] ?? 2),
    allowEmpty: true,
  };
}

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
const packages = ['core', 'vitest-runner'].map((name) => `@stryker-mutator/${name}@${version}`);
// Without peers: vitest is the project's.
execFileSync('npm', ['install', '--prefix', folder, '--no-save', '--legacy-peer-deps', ...packages], {
  stdio: ['ignore', 'ignore', 'inherit'],
});

const scores: Score[] = [];
for (const { name, paths, tests } of rowsFor(positionals)) {
  const configFile = join(folder, `stryker.${name}.json`);
  const report = `coverage/mutation/report.${name}.json`;
  writeFileSync(configFile, JSON.stringify(settings(report, filesOf(root, paths)), null, 2));
  execFileSync(
    process.execPath,
    [join(folder, 'node_modules/@stryker-mutator/core/bin/stryker.js'), 'run', configFile],
    { cwd: root, stdio: 'inherit', env: { MUTATE_TESTS: tests.join(','), ...process.env } },
  );
  scores.push(await readScore(root, join(root, report), percent === 100));
}
printScore(scores);
if (scores.some(({ stale }) => stale.length > 0)) process.exitCode = 1;
