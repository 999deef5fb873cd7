import type { Equivalents } from '../score.ts';

export const equivalent: Equivalents = {
  'core/storedData/findPointers.ts': [
    [
      "const keys: (string | number)[] = ['value'];",
      'const keys: (string | number)[] = [];',
      'the first visit sets the first key',
    ],
    [
      "const keys: (string | number)[] = ['value'];",
      'const keys: (string | number)[] = [""];',
      'the first visit sets the first key',
    ],
    [
      'if (Array.isArray(node)) for (let index = 0; index < node.length; index++) visit(node[index], index);',
      'if (Array.isArray(node)) for (let index = 0; index <= node.length; index++) visit(node[index], index);',
      'undefined has no pointers',
    ],
  ],
};
