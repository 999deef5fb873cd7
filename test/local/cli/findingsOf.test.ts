import { expect, test } from '@jest/globals';
import type { Effect } from '../../../local/cli/prove/Effect.ts';
import { findingsOf, repeatedIn } from '../../../local/cli/prove/findingsOf.ts';

const object = (target: string, content = 'x'): Effect => ({ kind: 'object', target, content });
const file = (target: string, content = 'x'): Effect => ({ kind: 'file', target, content });
const message = (target: string, content = 'x'): Effect => ({ kind: 'message', target, content });
const last = { outcome: 'succeeded' } as const;

const compare = (alone: Effect[], first: Effect[], second: Effect[], other = alone) =>
  findingsOf('e', { first, second, last }, { alone, other }).map(({ problem, effect }) => [
    problem,
    effect?.target,
    effect?.content,
  ]);

test.each<[string, Effect[], Effect[], Effect[]]>([
  ['the same object', [object('a')], [object('a')], [object('a')]],
  ['the same message', [message('a')], [message('a')], [message('a')]],
  ['an effect that only the first delivery has', [object('a')], [object('a')], []],
  ['a kill before anything', [object('a'), object('b')], [], [object('a'), object('b')]],
  ['a kill in between', [object('a'), object('b')], [object('a')], [object('a'), object('b')]],
  ['random content that comes once', [object('a', '1')], [], [object('a', '2')]],
  ['a part of a file that is written anew', [file('a', 'whole')], [file('a', 'part')], [file('a', 'whole')]],
])('%s is idempotent', (_, alone, first, second) => {
  expect(compare(alone, first, second)).toEqual([]);
});

test.each<[string, Effect[], Effect[], Effect[], unknown[]]>([
  ['an object with another name', [object('a')], [object('b')], [object('c')], [['twice', 'c', 'x']]],
  ['an object with other content', [object('a')], [object('a')], [object('a', 'y')], [['twice', 'a', 'y']]],
  ['two objects at once', [object('a')], [object('b'), object('c')], [], [['twice', 'b', 'x']]],
  ['another message', [message('a')], [message('a')], [message('a', 'y')], [['twice', 'a', 'y']]],
  ['another file', [file('a')], [file('a')], [file('a'), file('b')], [['twice', 'b', 'x']]],
  ['a file that has grown', [file('a')], [file('a')], [file('a', 'xx')], [['twice', 'a', 'xx']]],
  [
    'an object that never comes',
    [object('a'), object('b')],
    [object('a')],
    [object('a')],
    [['missing', 'b', 'x']],
  ],
])('%s is found', (_, alone, first, second, found) => {
  expect(compare(alone, first, second)).toEqual(found);
});

test('a file whose content is random anyway is not found', () => {
  expect(compare([file('a', '1')], [file('a', '2')], [file('a', '3')], [file('a', '4')])).toEqual([]);
});

test('a task that fails when it is repeated is found, and nothing is missing then', () => {
  const failed = { outcome: 'failed', error: 'no' } as const;
  expect(
    findingsOf('e', { first: [], second: [], last: failed }, { alone: [object('a')], other: [] }),
  ).toEqual([{ experiment: 'e', problem: 'fails', error: 'no' }]);
});

test('messages that were sent again are named', () => {
  expect(
    repeatedIn({ first: [message('a'), message('b', '1')], second: [message('a'), message('b', '2')], last }),
  ).toEqual(['a']);
});
