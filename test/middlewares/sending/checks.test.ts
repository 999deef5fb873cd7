import { describe, expect, test } from '@jest/globals';
import { ajson } from '../../../core/index.ts';
import { checkAttributes } from '../../../middlewares/sending/checkAttributes.ts';
import { kwargsText } from '../../../middlewares/sending/kwargsText.ts';

describe('the arguments of a task', () => {
  const textOf = (task_kwargs: unknown) => kwargsText({ task_name: 'a', task_kwargs }, ajson.dumps);

  test('are an object in ajson, which may be absent, and may hold tags', () => {
    expect([textOf(undefined), textOf(null), textOf({ n: 1 })]).toEqual(['{}', '{}', '{"n":1}']);
    expect(textOf({ x: new Set([1]) })).toContain('"_alg_class":"set"');
  });

  test.each<[unknown, string]>([
    [[1], 'list'],
    ['text', 'string'],
    [5, 'number'],
    [new Date(0), 'datetime'],
    [new Set([1]), 'set'],
  ])('are not %p', (kwargs, kind) => {
    expect(() => textOf(kwargs)).toThrow(
      expect.objectContaining({ name: 'TaskArgumentsError', path: '$.task_kwargs' }),
    );
    expect(() => textOf(kwargs)).toThrow(`must be an object, not a ${kind}`);
  });
});

describe('attributes', () => {
  test('may be absent, and have the chain id of the option', () => {
    const accept = (options: object) => expect(() => checkAttributes('sendTask', options)).not.toThrow();
    accept({});
    accept({ attributes: { own: 'x' } });
    accept({ attributes: { chain_id: 'c' } });
    accept({ attributes: { chain_id: 'c' }, chainId: 'c' });
    accept({ attributes: { own: 'x' }, chainId: 'c' });
  });

  test.each<[object, string]>([
    [{ attributes: { also_callbacks: 'x' } }, 'attributes.also_callbacks is set by the option alsoCallbacks'],
    [{ attributes: { on_error: 'x' } }, 'attributes.on_error is set by the option onError'],
    [{ attributes: { own: '' } }, 'attributes.own must not be empty'],
    [{ attributes: { [`${'a'.repeat(100)} `]: 'x' } }, `attributes.${'a'.repeat(80)} must have a name`],
    [{ attributes: { chain_id: 'c' }, chainId: 'd' }, 'attributes.chain_id differs'],
    [{ attributes: { chain_id: 'not a chain' } }, 'attributes.chain_id must be 1 to 128'],
  ])('are refused: %j', (options, message) => {
    const check = () => checkAttributes('sendTask', options);
    expect(check).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }));
    expect(check).toThrow(`sendTask: ${message}`);
  });
});
