import type { Equivalents } from '../score.ts';

export const equivalent: Equivalents = {
  'core/groups/climb.ts': [
    [
      'for (let level = 0; widthOf(count, level) > 1; level += 1) {',
      'for (let level = 0; widthOf(count, level) >= 1; level += 1) {',
      'only slower: the only node of a level has no sibling',
    ],
  ],
  'core/groups/fanOut.ts': [
    [
      'if (options.onError !== undefined) assertTaskName(options.onError);',
      'if (true) assertTaskName(options.onError);',
      'undefined is accepted too, as the name "undefined"',
    ],
  ],
  'core/groups/plan.ts': [
    [
      'const isInline = chunks.length === 1 && JSON.stringify(messages).length <= inlineLength;',
      'const isInline = true && JSON.stringify(messages).length <= inlineLength;',
      'more than one chunk has more than 8,192 characters',
    ],
  ],
  'core/groups/ticket.ts': [
    [
      'return id !== undefined && wholeId.test(id) ? id : undefined;',
      'return true && wholeId.test(id) ? id : undefined;',
      'the text "undefined" is not an id either',
    ],
    [
      'const [, group, index, count] = ticketPattern.exec(link) ?? [];',
      'const [, group, index, count] = ticketPattern.exec(link) ?? ["Stryker was here"];',
      'the first item is not read',
    ],
    [
      'if (group === undefined) return undefined;',
      'if (false) return undefined;',
      'the index is NaN then, which is below no count',
    ],
    [
      "return typeof callback === 'string' ? parseTicket(linkAfterGather(callback) ?? '') : undefined;",
      'return typeof callback === \'string\' ? parseTicket(linkAfterGather(callback) ?? "Stryker was here!") : undefined;',
      'not a ticket either',
    ],
    [
      "? deadlinePattern.exec(linkAfterGather(callback) ?? '')?.[1]",
      '? deadlinePattern.exec(linkAfterGather(callback) ?? "Stryker was here!")?.[1]',
      'not a deadline either',
    ],
    [
      'return beforeTicket.exec(callback.slice(-60))?.[1];',
      'return beforeTicket.exec(callback)?.[1];',
      'only slower on a long callback',
    ],
  ],
  'core/groups/reportGroup.ts': [
    [
      "if (!outcome || 'error' in outcome || outcome.messageId === undefined) return [];",
      'if (false || outcome.messageId === undefined) return [];',
      'each message has an outcome, and an error has no messageId',
    ],
    [
      "if (!outcome || 'error' in outcome || outcome.messageId === undefined) return [];",
      "if (!outcome && 'error' in outcome || outcome.messageId === undefined) return [];",
      'each message has an outcome, and an error has no messageId',
    ],
    [
      "if (!outcome || 'error' in outcome || outcome.messageId === undefined) return [];",
      'if (!outcome || "" in outcome || outcome.messageId === undefined) return [];',
      'each message has an outcome, and an error has no messageId',
    ],
  ],
};
