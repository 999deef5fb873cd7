import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from '@jest/globals';
import { DeadlineError } from '../../../core/batch/deadline.ts';
import {
  currentScope,
  enterScope,
  inScope,
  lastScope,
  leaveScope,
  runningScopes,
  type Scope,
  startingScope,
} from '../../../middlewares/tracing/scope.ts';

const rootScope = (): Scope => ({
  invocation: { tracing: undefined, ended: false },
  task: undefined,
  isRoot: true,
});
const taskScope = ({ invocation }: Scope): Scope => ({ invocation, task: undefined, isRoot: false });

/** Runs `work` in an invocation that ends with it. */
async function invocation(work: (root: Scope) => unknown): Promise<void> {
  const root = rootScope();
  // `enterScope` changes the scope of the code that calls it: a new asynchronous context keeps that inside.
  await new AsyncLocalStorage().run(undefined, async () => {
    enterScope(root);
    try {
      await work(root);
    } finally {
      leaveScope(root);
    }
  });
}

/** A promise, and the functions that settle it. */
const gate = () => Promise.withResolvers<void>();

/** Binds the current context to a function: calls of it are calls of code that was left behind. */
const leaveBehind = (): (() => Scope | undefined) => AsyncLocalStorage.bind(currentScope);

describe('the scope of a task', () => {
  test('lasts while a synchronous function runs', () =>
    invocation((root) => {
      const task = taskScope(root);
      const result = inScope(task, () => {
        expect(currentScope()).toBe(task);
        expect(startingScope()).toBe(task);
        return leaveBehind();
      });
      expect(result()).toBe(root);
      expect(currentScope()).toBe(root);
    }));

  test('ends when a synchronous function throws', () =>
    invocation((root) => {
      let left: (() => Scope | undefined) | undefined;
      const failing = () =>
        inScope(taskScope(root), () => {
          left = leaveBehind();
          throw new RangeError('no');
        });
      expect(failing).toThrow(new RangeError('no'));
      expect(left?.()).toBe(root);
    }));

  test.each(['resolves', 'rejects'])('lasts until its promise %s', (outcome) =>
    invocation(async (root) => {
      const task = taskScope(root);
      const { promise, resolve, reject } = gate();
      let left: (() => Scope | undefined) | undefined;
      const result = inScope(task, () => {
        left = leaveBehind();
        return promise;
      });
      expect(result).toBe(promise);
      expect(left?.()).toBe(task);
      if (outcome === 'resolves') resolve();
      else reject(new Error('no'));
      await promise.catch(() => {});
      expect(left?.()).toBe(root);
    }),
  );

  test('lasts until the last of its parts has ended', () =>
    invocation(async (root) => {
      const task = taskScope(root);
      const [first, second] = [gate(), gate()];
      let left: (() => Scope | undefined) | undefined;
      inScope(task, () => {
        left = leaveBehind();
        return first.promise;
      });
      const running = inScope(task, () => second.promise);
      first.resolve();
      await first.promise;
      expect(left?.()).toBe(task);
      inScope(task, () => {});
      expect(left?.()).toBe(task);
      second.resolve();
      await running;
      expect(left?.()).toBe(root);
    }));

  test('outlives the deadline, as its function may go on', () =>
    invocation(async (root) => {
      const task = taskScope(root);
      let left: (() => Scope | undefined) | undefined;
      const cut = inScope(task, async () => {
        left = leaveBehind();
        throw new DeadlineError();
      });
      await cut.catch(() => {});
      expect(left?.()).toBe(task);
    }));
});

describe('code that a task left behind', () => {
  test('belongs to its own invocation, even if another one runs', async () => {
    const order = [gate(), gate()] as const;
    const check = (left: () => Scope | undefined, root: Scope) => expect(left()).toBe(root);
    const run = (own: 0 | 1) =>
      invocation(async (root) => {
        const left = inScope(taskScope(root), leaveBehind);
        order[own].resolve();
        await order[(1 - own) as 0 | 1].promise;
        expect(runningScopes()).toHaveLength(2);
        check(left, root);
      });
    await Promise.all([run(0), run(1)]);
  });

  test('belongs to the running invocation after its own has ended, if there is exactly one', async () => {
    let left: (() => Scope | undefined) | undefined;
    await invocation((root) => {
      left = inScope(taskScope(root), leaveBehind);
    });
    expect(left?.()).toBeUndefined();
    await invocation(async (only) => {
      expect(left?.()).toBe(only);
      await invocation(() => {
        expect(left?.()).toBeUndefined();
      });
      expect(left?.()).toBe(only);
    });
    expect(left?.()).toBeUndefined();
  });

  test('belongs to nothing if no invocation runs and none started it', () => {
    expect(currentScope()).toBeUndefined();
    expect(startingScope()).toBeUndefined();
    expect(lastScope()).toBeUndefined();
    expect(runningScopes()).toEqual([]);
  });

  test('keeps the scope in which it started', () =>
    invocation((root) => {
      const task = taskScope(root);
      const starting = inScope(task, () => AsyncLocalStorage.bind(startingScope));
      expect(starting()).toBe(task);
    }));
});

describe('an invocation that a task starts', () => {
  test('has its own scope, and afterwards its code belongs to the outer task', () =>
    invocation(async (root) => {
      const outer = taskScope(root);
      await inScope(outer, async () => {
        let left: (() => Scope | undefined) | undefined;
        await invocation((inner) => {
          left = leaveBehind();
          expect(currentScope()).toBe(inner);
          expect(lastScope()).toBe(inner);
        });
        expect(left?.()).toBe(outer);
        expect(currentScope()).toBe(outer);
      });
    }));

  test('belongs to the outer invocation if its task has settled', () =>
    invocation(async (root) => {
      const outer = taskScope(root);
      const start = inScope(outer, () => AsyncLocalStorage.bind(rootScopeEntered));
      const inner = start();
      expect(inner.outer).toBeUndefined();
      leaveScope(inner);
    }));
});

function rootScopeEntered(): Scope {
  const scope = rootScope();
  enterScope(scope);
  return scope;
}

test('lists the running invocations in the order of their start', () =>
  invocation((first) =>
    invocation((second) => {
      expect(runningScopes()).toEqual([first, second]);
      expect(lastScope()).toBe(second);
    }),
  ));
