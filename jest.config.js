/** @type {import('jest').Config} */
export default {
  extensionsToTreatAsEsm: ['.ts'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testSequencer: '<rootDir>/test/support/slowFirst.js',
  // The mutation tester keeps copies of the project there.
  modulePathIgnorePatterns: ['<rootDir>/coverage/'],
  testTimeout: 30_000,
  // Most of the time is spent waiting, for npm and for queues: three at once pay on a machine with two cores.
  maxWorkers: 3,
  // The modules of each suite stay in memory otherwise, and the suites that come late are ten times as slow.
  workerIdleMemoryLimit: '1GB',
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, sourceMaps: 'inline' },
    ],
  },
  moduleNameMapper: {
    '^algernon-middy$': '<rootDir>/middlewares/index.ts',
    '^algernon-middy/(core|local)$': '<rootDir>/$1/index.ts',
    '^algernon-middy/testing$': '<rootDir>/local/testing.ts',
    '^algernon-middy/middlewares/(.*)$': '<rootDir>/middlewares/$1.ts',
  },
};
