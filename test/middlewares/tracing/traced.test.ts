import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from '@jest/globals';
import { enterScope, inScope, leaveScope } from '../../../middlewares/tracing/scope.ts';
import { traced } from '../../../middlewares/tracing/traced.ts';
import type { TaskTrace, Tracing } from '../../../middlewares/tracing/tracing.ts';

const trace: TaskTrace = { run: (work) => work(), outgoingAttributes: {}, end() {} };
const sum = traced('sum', (a: number, b: number) => a + b);

/** Calls `work` in an invocation, and in a task of it. Returns the results. */
function inInvocation<T>(tracing: Tracing | undefined, work: () => T): [T, T] {
  return new AsyncLocalStorage().run(undefined, () => {
    const invocation = { tracing, ended: false };
    const root = { invocation, task: undefined, isRoot: true };
    enterScope(root);
    try {
      const task = { outgoingAttributes: {}, trace };
      return [work(), inScope({ invocation, task, isRoot: false }, work)];
    } finally {
      leaveScope(root);
    }
  });
}

test('a traced function gets a span of its task, or of the invocation', () => {
  const spans: unknown[] = [];
  const tracing: Tracing = {
    start: () => trace,
    span(name, work, task) {
      spans.push([name, task]);
      return work();
    },
    send: (_, work) => work({}),
  };
  expect(inInvocation(tracing, () => sum(1, 2))).toEqual([3, 3]);
  expect(spans).toEqual([
    ['sum', undefined],
    ['sum', trace],
  ]);
});

test('a traced function runs normally without tracing and outside of an invocation', () => {
  expect(inInvocation(undefined, () => sum(1, 2))).toEqual([3, 3]);
  expect(sum(1, 2)).toBe(3);
});

test('names the bad argument of traced', () => {
  const refused = (message: string) => expect.objectContaining({ code: 'BAD_OPTION', message });
  expect(() => traced('', () => 1)).toThrow(
    refused('traced: name must be a string that is not empty, not "".'),
  );
  expect(() => traced('sum', 1 as never)).toThrow(refused('traced: work must be a function, not 1.'));
});
