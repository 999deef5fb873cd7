import { defineConfig, type ViteUserConfig } from 'vitest/config';

const root = new URL('../..', import.meta.url).pathname;
const source = (path: string) => `${root}${path}`;

const config: ViteUserConfig = defineConfig({
  root,
  resolve: {
    alias: [
      { find: '@jest/globals', replacement: source('test/mutation/jestGlobals.ts') },
      { find: /^algernon-middy$/, replacement: source('middlewares/index.ts') },
      { find: /^algernon-middy\/(core|local)$/, replacement: source('$1/index.ts') },
      { find: /^algernon-middy\/testing$/, replacement: source('local/testing.ts') },
      { find: /^algernon-middy\/middlewares\/(.*)$/, replacement: source('middlewares/$1.ts') },
    ],
  },
  test: {
    include: (process.env['MUTATE_TESTS'] ?? 'test/core/**/*.test.ts,test/middlewares/**/*.test.ts').split(
      ',',
    ),
    exclude: ['**/size.test.ts', '**/sizes.test.ts'],
    // These two depend on how jest runs them.
    testNamePattern: /^(?!.*(leaves no timer behind|marks each cycle))/,
    // vitest reports rejections that are handled a moment later.
    dangerouslyIgnoreUnhandledErrors: true,
    // Coverage makes the tests of large values ten times as slow.
    testTimeout: 300_000,
    hookTimeout: 30_000,
  },
});

export default config;
