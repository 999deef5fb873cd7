/**
 * Runs the mutation tester: `npm run mutate [-- FOLDER…]`. Without folders, all of core/ and middlewares/, which takes hours. It
 * shows each change that no test notices, and writes them to coverage/mutation/report.json.
 *
 * StrykerJS is installed in coverage/mutation, from where it finds the packages of the project: vitest among them, which
 * runs the suites much faster than jest in a process that stays.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const root = new URL('../..', import.meta.url).pathname;
const folder = join(root, 'coverage/mutation');
const version = '10.0.0';
const folders = process.argv.slice(2);
const targets = folders.length > 0 ? folders : ['core', 'middlewares'];

const settings = {
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
  coverageAnalysis: 'perTest',
  mutate: targets.map((target) => (target.endsWith('.ts') ? target : `${target}/**/*.ts`)),
  ignorePatterns: ['/coverage', '/dist', '/examples/cdk/dist'],
  disableTypeChecks: false,
  // StrykerJS rewrites a tsconfig.json by functions that TypeScript 7 does not have. It needs none.
  tsconfigFile: 'none',
  reporters: ['clear-text', 'json'],
  clearTextReporter: { allowColor: process.stdout.isTTY === true, reportTests: false },
  jsonReporter: { fileName: 'coverage/mutation/report.json' },
  tempDirName: 'coverage/mutation/sandboxes',
  timeoutMS: 20_000,
  concurrency: Number(process.env['MUTATE_PROCESSES'] ?? 2),
};

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
const packages = ['core', 'vitest-runner'].map((name) => `@stryker-mutator/${name}@${version}`);
// Without peers: vitest is the project's.
execFileSync('npm', ['install', '--prefix', folder, '--no-save', '--legacy-peer-deps', ...packages], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
const configFile = join(folder, 'stryker.config.json');
writeFileSync(configFile, JSON.stringify(settings, null, 2));
const stryker = join(folder, 'node_modules/@stryker-mutator/core/bin/stryker.js');
execFileSync(process.execPath, [stryker, 'run', configFile], { cwd: root, stdio: 'inherit' });
