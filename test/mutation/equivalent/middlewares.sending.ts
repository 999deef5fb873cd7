import type { Equivalents } from '../score.ts';

export const equivalent: Equivalents = {
  'middlewares/sending/carrierOf.ts': [
    [
      "const send = async ({ queue = '', ...message }: CarriedMessage): Promise<CarriedOutcome> => {",
      'const send = async ({ queue = "Stryker was here!", ...message }: CarriedMessage): Promise<CarriedOutcome> => {',
      'queueFor has given each of these messages its queue',
    ],
  ],
};
