import { type Ajson, openAjson } from './openAjson.ts';

/**
 * The shared ajson. Code that is loaded by `import()` takes it from here and not from `ajson.ts`: core/index.ts exports that
 * file, and a bundler then puts all that it needs in the first file of a worker.
 */
export const sharedAjson: Ajson = /* @__PURE__ */ openAjson({}, []);
