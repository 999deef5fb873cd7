import type { Equivalents } from '../score.ts';

export const equivalent: Equivalents = {
  'core/chains/foldChain.ts': [
    [
      'const read: ChainEvent[] = [];',
      'const read: ChainEvent[] = ["Stryker was here"];',
      'a text has no chainId, and is left out below',
    ],
  ],
};
