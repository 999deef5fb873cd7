type Util = typeof import('node:util');

// An `import` of node:util reads all of its exports, and so loads modules that nothing here needs: 3 ms of a cold start.
const util: Util = process.getBuiltinModule('node:util');

export const inspect: Util['inspect'] = util.inspect;
export const formatWithOptions: Util['formatWithOptions'] = util.formatWithOptions;
export const styleText: Util['styleText'] = util.styleText;
