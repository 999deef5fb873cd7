import { expect, test } from '@jest/globals';
import { countDirectRun, extendContext, originalContext } from '../../../core/batch/pipeline.ts';

const more = Symbol('more');

test('extends a copy and leaves the original context unchanged', () => {
  const symbol = Symbol('own');
  const context = { awsRequestId: 'r', [symbol]: 1 };
  const extended = extendContext(context, { own: { [more]: { value: 2, enumerable: true } } });
  expect({ ...extended }).toEqual({ awsRequestId: 'r', [symbol]: 1, [more]: 2 });
  expect(more in context).toBe(false);
  expect(originalContext(extended)).toBe(context);
  expect(originalContext(extendContext(extended, { own: {} }))).toBe(context);
});

test('keeps accessors, and passes assignments to the runtime', () => {
  let waits = true;
  const context = {
    get callbackWaitsForEmptyEventLoop() {
      return waits;
    },
    set callbackWaitsForEmptyEventLoop(value) {
      waits = value;
    },
  };
  extendContext(context, { own: {} }).callbackWaitsForEmptyEventLoop = false;
  expect(waits).toBe(false);
});

test('keeps non-enumerable and read-only properties, and the prototype', () => {
  class Context {
    getRemainingTimeInMillis() {
      return 1;
    }
  }
  const context = Object.defineProperties(new Context(), {
    hidden: { value: 1, writable: true, configurable: true },
    fixed: { value: 2, enumerable: true },
    getRemainingTimeInMillis: { value: () => 3, writable: true, enumerable: true, configurable: true },
    ['__proto__']: { value: { polluted: true }, writable: true, enumerable: true, configurable: true },
  });
  const extended = extendContext(context, { own: {} });
  const { hidden, fixed, getRemainingTimeInMillis } = Object.getOwnPropertyDescriptors(context);
  expect(Object.getOwnPropertyDescriptors(extended)).toMatchObject({
    hidden,
    fixed,
    getRemainingTimeInMillis,
  });
  const keysOf = (value: object) => Reflect.ownKeys(value).filter((key) => typeof key === 'string');
  expect(keysOf(extended)).toEqual(keysOf(context));
  expect(Object.getOwnPropertyDescriptor(extended, '__proto__')).toEqual(
    Object.getOwnPropertyDescriptor(context, '__proto__'),
  );
  expect(Object.getPrototypeOf(extended)).toBe(Context.prototype);
  expect('polluted' in extended).toBe(false);
});

test('replaces a property of the outer stack that cannot be configured', () => {
  const outer = Object.freeze(extendContext({ awsRequestId: 'r' }, { own: { [more]: { value: 1 } } }));
  const inner = extendContext(outer, { own: { [more]: { value: 2, enumerable: true } } });
  expect({ ...inner }).toEqual({ awsRequestId: 'r', [more]: 2 });
});

test('another copy of the package finds the original context too', () => {
  const context = { awsRequestId: 'r' };
  const extended = extendContext(context, { own: {} }) as unknown as Record<symbol, unknown>;
  expect(extended[Symbol.for('algernon-middy.originalContext')]).toBe(context);
});

test('counts the direct runs of each context of Lambda', () => {
  const [first, second] = [{ awsRequestId: 'a' }, { awsRequestId: 'b' }];
  const counts = [first, extendContext(first, { own: {} }), first, second].map(countDirectRun);
  expect(counts).toEqual([0, 1, 2, 0]);
});
