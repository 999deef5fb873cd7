import type { Equivalents } from '../score.ts';

export const equivalent: Equivalents = {
  'middlewares/sending/carrierOf.ts': [
    [
      "const send = async ({ queue = '', ...message }: CarriedMessage): Promise<CarriedOutcome> => {",
      'const send = async ({ queue = "Stryker was here!", ...message }: CarriedMessage): Promise<CarriedOutcome> => {',
      'queueFor has given each of these messages its queue',
    ],
    [
      "return outcome && 'error' in outcome ? outcome : { messageId: message.messageId };",
      'return true ? outcome : { messageId: message.messageId };',
      'the outcome of a message that was sent has the same id',
    ],
    [
      "return outcome && 'error' in outcome ? outcome : { messageId: message.messageId };",
      "return outcome || 'error' in outcome ? outcome : { messageId: message.messageId };",
      'the outcome of a message that was sent has the same id',
    ],
  ],
  'middlewares/sending/reportSent.ts': [
    [
      "const report = openSentReport('sendTask', events);",
      'const report = openSentReport("", events);',
      'the name is for the error of a bad option, which was checked before',
    ],
  ],
  'middlewares/sending/sendAll.ts': [
    [
      "if (!outcome || 'error' in outcome) outcomes[index] = { error: outcome?.error };",
      "if (!outcome || 'error' in outcome) outcomes[index] = { error: outcome.error };",
      'each message has an outcome: the ?. is for the compiler',
    ],
  ],
};
