import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const root = new URL('../..', import.meta.url).pathname;
const source = (path: string) => `${root}${path}`;

/**
 * StrykerJS 10 selects tests by `suite test`, and vitest 5 by `suite > test`. Without this, no test in a `describe` is run, and
 * each change that only such tests reach counts as not noticed.
 */
const matchNames = {
  name: 'matchNames',
  configureVitest({ project }: { readonly project: { readonly config: object } }): void {
    let pattern: RegExp | undefined;
    Object.defineProperty(project.config, 'testNamePattern', {
      get: () => pattern,
      set: (wanted?: RegExp) => {
        pattern = wanted && new RegExp(wanted.source.replaceAll(' ', '[ >]+'));
      },
    });
  },
};

/** A change that a unit test notices need not wait for the local AWS. Tests of one unit are in the deeper folders. */
class UnitsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const depth = ({ moduleId }: TestSpecification) => moduleId.split('/').length;
    return files.toSorted((a, b) => depth(b) - depth(a));
  }
}

const config: ViteUserConfig = defineConfig({
  root,
  plugins: [matchNames],
  resolve: {
    alias: [
      { find: '@jest/globals', replacement: source('test/mutation/jestGlobals.ts') },
      { find: /^fast-check$/, replacement: source('test/mutation/fastCheck.ts') },
      { find: /^algernon-middy$/, replacement: source('middlewares/index.ts') },
      { find: /^algernon-middy\/(core|local)$/, replacement: source('$1/index.ts') },
      { find: /^algernon-middy\/testing$/, replacement: source('local/testing.ts') },
      { find: /^algernon-middy\/middlewares\/(.*)$/, replacement: source('middlewares/$1.ts') },
    ],
  },
  test: {
    include: (process.env['MUTATE_TESTS'] ?? 'test/core/**/*.test.ts,test/middlewares/**/*.test.ts').split(
      // Not within the braces of a glob.
      /,(?![^{]*})/,
    ),
    // The size of a bundle, browsers and comparisons with other libraries do not judge single lines. The interleavings of groups take
    // minutes when a change makes them endless.
    exclude: ['**/{size,sizes,browser,sideBySide,explore}.test.ts'],
    sequence: { sequencer: UnitsFirst },
    setupFiles: [source('test/mutation/setup.ts')],
    // Modules are loaded once for all suites of a run, not once for each suite. A run has a new thread.
    isolate: false,
    // vitest counts rejections that are handled a moment later, and StrykerJS leaves out a change with one.
    onUnhandledError: () => false,
    testTimeout: 300_000,
    hookTimeout: 30_000,
  },
});

export default config;
