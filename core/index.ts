// `export *` where possible: once an `export { … } from` of a file is used, esbuild loads at start what its other exports share
// with code in an `import()`.
export * from './ajson/index.ts';
export * from './batch/index.ts';
export * from './chains/index.ts';
export {
  AlgernonError,
  type ErrorDetails,
  isAlgernonError,
  NonRetryableError,
  OptionError,
} from './errors.ts';
export * from './groups/index.ts';
export { isFinal } from './isFinal.ts';
export { RetryLaterError } from './RetryLaterError.ts';
export * from './storedData/index.ts';
export * from './tasks/index.ts';
