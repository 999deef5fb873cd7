import { expect, test } from '@jest/globals';
import { isFollowed } from '../../middlewares/callbacks/isFollowed.ts';

test.each([
  [{ callback: 'b' }, {}, true],
  [{ callback: '' }, {}, true],
  [{ callback: 7 }, {}, true],
  [{}, { also_callbacks: 'b' }, true],
  [{ callback: null }, { on_error: 'b' }, true],
  [undefined, { on_error: '' }, true],
  [{}, {}, false],
  [{ callback: null }, { chain_id: 'b' }, false],
  [{ callback: undefined }, {}, false],
  [undefined, {}, false],
  ['callback', {}, false],
])('%j with the attributes %j: %s', (content, attributes: Record<string, string>, expected) => {
  expect(isFollowed({ content, attributes })).toBe(expected);
});
