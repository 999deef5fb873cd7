import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { FanOut } from '../../../core/groups/FanOutResult.ts';
import {
  AlgernonError,
  type CallbackError,
  defineTasks,
  endChain,
  fanOut,
  nextTask,
  routeTasks,
  typed,
} from '../../../core/index.ts';
import { chainIdOf } from '../../../core/tasks/chainId.ts';
import { checkKwargs } from '../../../core/tasks/defineTasks.ts';
import { ChainEnd } from '../../../core/tasks/endChain.ts';
import { definedTasks, routedTasks, schemaOf } from '../../../core/tasks/routedTasks.ts';
import { packResult, unpackResult } from '../../../core/tasks/specialResults.ts';
import { isTask, taskMessage } from '../../../core/tasks/task.ts';

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe('the id of a chain', () => {
  const of = (chain_id: string | undefined, messageId = 'm-1') =>
    chainIdOf(chain_id === undefined ? {} : { chain_id }, messageId);

  test.each(['a', 'A.b:c-d_9', '...', '.a', 'a.', 'x'.repeat(128)])('is the attribute %p', (id) => {
    expect(of(id)).toBe(id);
  });

  test.each([undefined, '', '.', '..', 'a b', '/a', 'a/', 'ü', 'x'.repeat(129)])(
    'is the message id for the attribute %p',
    (id) => {
      expect(of(id)).toBe('m-1');
    },
  );

  test('is a message id written by hand with other characters replaced, and cut', () => {
    expect(of(undefined, 'a.b')).toBe('a.b');
    expect(of(undefined, 'my id/1')).toBe('my_id_1');
    expect(of(undefined, '..')).toBe('__');
    expect(of(undefined, 'a.b c')).toBe('a_b_c');
    expect(of(undefined, `${'x'.repeat(127)} ${'y'.repeat(9)}`)).toBe(`${'x'.repeat(127)}_`);
    expect(of(undefined, '')).toBe('');
  });
});

describe('endChain', () => {
  test('keeps the result, and is written as it', () => {
    const end = endChain({ a: 1 });
    expect(end.result).toEqual({ a: 1 });
    expect(JSON.stringify({ end, empty: endChain() })).toBe('{"end":{"a":1},"empty":null}');
  });

  test('is recognised by its brand, also from another copy of the package', () => {
    const brand = Symbol.for('algernon-middy.ChainEnd');
    expect(endChain(1)).toBeInstanceOf(ChainEnd);
    expect({ [brand]: true }).toBeInstanceOf(ChainEnd);
    for (const other of [null, undefined, 1, {}, { result: 1 }, { [brand]: 1 }]) {
      expect(other instanceof ChainEnd).toBe(false);
    }
    expect(Object.keys(endChain(1))).toEqual(['result']);
  });
});

describe('a result in parts', () => {
  const tasks = [{ task_name: 'a' }];

  test('is an ordinary value as it is', () => {
    for (const value of [undefined, null, 0, { kind: 'endChain' }, [1]]) {
      expect(packResult(value)).toEqual({ kind: undefined, content: value });
      expect(unpackResult(packResult(value))).toEqual({ result: value });
    }
  });

  test('is the kind and the content of the end of a chain', () => {
    const packed = packResult(endChain({ a: 1 }));
    expect(packed).toEqual({ kind: 'endChain', content: { a: 1 } });
    const { result } = unpackResult(packed) as { result: ChainEnd };
    expect(result).toBeInstanceOf(ChainEnd);
    expect(result.result).toEqual({ a: 1 });
  });

  test('is the kind, tasks and options of a group, without the definitions of tasks', () => {
    const group = fanOut(tasks as never, { tasks: defineTasks({ a: {} }), then: 'j' } as never);
    const packed = packResult(group);
    expect(packed).toEqual({ kind: 'fanOut', content: { tasks, options: { then: 'j' } } });
    const { result } = unpackResult(packed) as { result: FanOut };
    expect(result).toBeInstanceOf(FanOut);
    expect(result).toMatchObject({ tasks, options: { then: 'j' } });
  });

  test('of an unknown kind is undefined', () => {
    expect(unpackResult({ kind: 'other', content: 1 })).toBeUndefined();
  });
});

describe('the tasks of this process', () => {
  test('are those routed and those defined, with their JSON Schema', () => {
    const failing = {
      '~standard': {
        ...typed()['~standard'],
        jsonSchema: {
          input: () => {
            throw new Error('no JSON Schema');
          },
        },
      },
    };
    const targets: unknown[] = [];
    const asking = {
      '~standard': {
        ...typed()['~standard'],
        jsonSchema: { input: (options: object) => targets.push(options) },
      },
    };
    routeTasks({ 'routed-1': () => 1, 'routed-2': () => 2 });
    defineTasks({
      'defined-1': { kwargs: z.object({ a: z.string() }) },
      'defined-2': { kwargs: typed() },
      'defined-3': {},
      'defined-4': { kwargs: failing },
      'defined-5': { kwargs: asking },
    });
    expect(routedTasks().slice(-2)).toEqual(['routed-1', 'routed-2']);
    expect(definedTasks().slice(-5)).toEqual([
      'defined-1',
      'defined-2',
      'defined-3',
      'defined-4',
      'defined-5',
    ]);
    expect(schemaOf('defined-1')).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: { a: { type: 'string' } },
    });
    schemaOf('defined-5');
    expect(targets).toEqual([{ target: 'draft-2020-12' }]);
    for (const name of ['defined-2', 'defined-3', 'defined-4', 'routed-1', 'unknown']) {
      expect(schemaOf(name)).toBeUndefined();
    }
  });

  test('are shared with other copies of the package', () => {
    routeTasks({ shared: () => 1 });
    const held = (globalThis as Record<symbol, { routed?: Set<string> }>)[
      Symbol.for('algernon-middy.routedTasks')
    ];
    expect(held?.routed?.has('shared')).toBe(true);
  });
});

describe('a task', () => {
  test('is an object with a name that is a string', () => {
    expect(isTask({ task_name: '' })).toBe(true);
    const named = Object.assign(() => {}, { task_name: 'a' });
    for (const other of [null, undefined, 'a', {}, { task_name: 1 }, named])
      expect(isTask(other)).toBe(false);
  });

  test('is written around its arguments, without the characters that SQS refuses', () => {
    expect(taskMessage('a', '{"b":1}')).toBe('{"task_name":"a","task_kwargs":{"b":1}}');
    expect(taskMessage('a', '{}', null)).toBe('{"task_name":"a","task_kwargs":{}}');
    expect(taskMessage('"a"', '{}', 'b#c')).toBe('{"task_name":"\\"a\\"","task_kwargs":{},"callback":"b#c"}');
    expect(taskMessage('a', '{"b":"x\uFFFE\uFFFFy\uFFFD"}')).toBe(
      '{"task_name":"a","task_kwargs":{"b":"x\\ufffe\\uffffy\uFFFD"}}',
    );
  });
});

describe('the errors of tasks', () => {
  const extras = { record: undefined, signal: new AbortController().signal };

  test('name the callback that is not followed, cut after 80 characters', () => {
    expect(thrownBy(() => nextTask(7 as never, 'a'))).toMatchObject({
      name: 'CallbackError',
      code: 'BAD_CALLBACK',
      message: 'The callback "number" cannot be followed: it is not a string.',
    });
    const shown = (length: number) => {
      const { message } = thrownBy(() => nextTask(':'.repeat(length), 'a')) as CallbackError;
      return /^The callback "(:*…?)"/.exec(message)?.[1];
    };
    expect(shown(80)).toBe(':'.repeat(80));
    expect(shown(81)).toBe(`${':'.repeat(80)}…`);
  });

  test('name the task that has no function, cut after 256 characters', async () => {
    const error = await routeTasks({})({ task_name: 'x'.repeat(300) }, {}, extras).catch((thrown) => thrown);
    expect(error).toMatchObject({ name: 'UnknownTaskError', code: 'UNKNOWN_TASK', path: '$.task_name' });
    expect(error).toBeInstanceOf(AlgernonError);
    expect(error.message).toBe(
      `task: ${'x'.repeat(256)} is not registered with the system; registered are: none`,
    );
  });

  test('list all problems of the arguments, with the path of the first', async () => {
    const issues = [
      { message: 'is wrong', path: ['a', { key: 0 }, Symbol('s')] },
      { message: 'is missing', path: undefined },
    ];
    const kwargs = { '~standard': { ...typed()['~standard'], validate: () => ({ issues }) } };
    const error = await checkKwargs({ crop: { kwargs } }, 'crop', {}).catch((thrown) => thrown);
    expect(error).toMatchObject({
      name: 'TaskArgumentsError',
      code: 'BAD_ARGUMENTS',
      path: '$.task_kwargs.a[0]["Symbol(s)"]',
      message:
        'The arguments of crop do not fit its schema: $.task_kwargs.a[0]["Symbol(s)"]: is wrong; $.task_kwargs: is missing',
    });
    const none = { '~standard': { ...typed()['~standard'], validate: () => ({ issues: [] }) } };
    await expect(checkKwargs({ crop: { kwargs: none } }, 'crop', {})).rejects.toMatchObject({
      path: '$.task_kwargs',
    });
  });

  test('are none for a task without a schema or without a definition', async () => {
    expect(await checkKwargs({ crop: {} }, 'crop', 1)).toBe(1);
    expect(await checkKwargs({}, 'toString', 1)).toBe(1);
    expect(await checkKwargs({}, 'crop', 1)).toBe(1);
  });

  test.each<[string, () => unknown]>([
    ['defineTasks: tasks must be an object', () => defineTasks(null as never)],
    ['defineTasks: a.kwargs must be a Standard Schema', () => defineTasks({ a: { kwargs: null as never } })],
    ['defineTasks: a.result must be a Standard Schema', () => defineTasks({ a: { result: 1 as never } })],
    ['routeTasks: functions must be an object', () => routeTasks([] as never)],
    ['routeTasks: there is no option "x"', () => routeTasks({}, { x: 1 } as never)],
    ['routeTasks: tasks must be an object', () => routeTasks({}, { tasks: 1 } as never)],
    [
      'routeTasks: the task a is not defined. Defined are: none.',
      () => routeTasks({ a: () => 1 } as never, { tasks: {} as never }),
    ],
    [
      'routeTasks: the task a is not defined. Defined are: b, c.',
      () => routeTasks({ a: () => 1 } as never, { tasks: { b: {}, c: {} } }),
    ],
  ])('%s', (message, work) => {
    expect(thrownBy(work)).toMatchObject({ name: 'OptionError', message: expect.stringContaining(message) });
  });
});

test('`typed` gives a Standard Schema of this package', () => {
  expect(typed()['~standard']).toMatchObject({ version: 1, vendor: 'algernon-middy' });
});
