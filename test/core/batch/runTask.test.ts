import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addStage, extendContext, openPipeline, pipelineProperty } from '../../../core/batch/pipeline.ts';
import { type Stage, stagePositions } from '../../../core/batch/stage.ts';
import {
  acknowledge,
  endChain,
  NonRetryableError,
  runTask,
  type Task,
  type TaskRecord,
} from '../../../core/index.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

/** A context without a clock, for which a loop starts no timer. */
const untimed = lambdaContext({ getRemainingTimeInMillis: () => Number.POSITIVE_INFINITY });

const declare = (record: TaskRecord, stages: readonly Stage[], context: object = untimed) => {
  const pipeline = openPipeline('sqs', [record]);
  for (const stage of stages) addStage(pipeline, stage);
  return extendContext(context, { own: pipelineProperty(pipeline) });
};
const inPosition = (name: string, around: Stage['around']): Stage => ({
  name,
  order: { after: 'log' },
  around,
});

test('stages wrap the handler in their order, however they were declared', async () => {
  const orders = stagePositions.flatMap((position) =>
    (['before', 'at', 'after'] as const).map((key) => ({ [key]: position }) as unknown as Stage['order']),
  );
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(orders.length - 1), { maxLength: 6 }), async (indices) => {
      const record = sqsRecord({ task_name: 'work' });
      const steps: string[] = [];
      const stages = indices.map((index): Stage => {
        return {
          name: `stage ${index}`,
          order: orders[index] as Stage['order'],
          async around(run, next) {
            run.beforeHandler(() => void steps.push(`check ${index}`));
            steps.push(`before ${index}`);
            await next();
            steps.push(`after ${index}`);
          },
        };
      });
      const result = await runTask(record, declare(record, stages), () => {
        steps.push('handler');
        return 'result';
      });
      const sorted = [...indices].sort((a, b) => a - b);
      expect(result).toBe('result');
      expect(steps).toEqual([
        ...sorted.map((index) => `before ${index}`),
        ...sorted.map((index) => `check ${index}`),
        'handler',
        ...sorted.reverse().map((index) => `after ${index}`),
      ]);
    }),
  );
});

test('stages at the same position run in order of name', async () => {
  const record = sqsRecord({ task_name: 'work' });
  for (const names of [
    ['a', 'b'],
    ['b', 'a'],
  ]) {
    const seen: string[] = [];
    const stages = names.map((name) =>
      inPosition(name, (_, next) => {
        seen.push(name);
        return next();
      }),
    );
    await runTask(record, declare(record, stages), () => {});
    expect(seen).toEqual(['a', 'b']);
  }
});

test('a second stage of the same name is refused with advice', () => {
  const pipeline = openPipeline('sqs', []);
  const stage = inPosition('same', (_, next) => next());
  addStage(pipeline, stage);
  expect(() => addStage(pipeline, stage, 'use the option buckets')).toThrow(
    expect.objectContaining({
      code: 'DUPLICATE_STAGE',
      retryable: true,
      message: expect.stringContaining('option buckets'),
    }),
  );
  expect(() => addStage(pipeline, stage)).toThrow('remove one of them');
});

test('a second next() is an error and does not run the handler again', async () => {
  const record = sqsRecord({ task_name: 'work' });
  let runs = 0;
  const twice = inPosition('twice', async (_, next) => {
    await next();
    await next();
  });
  const running = runTask(record, declare(record, [twice]), () => {
    runs += 1;
  });
  await expect(running).rejects.toThrow('twice called next() twice');
  expect(runs).toBe(1);
});

test('an AlgernonError carries the id of its message', async () => {
  const record = sqsRecord({ task_name: 'work' });
  const failing = runTask(record, lambdaContext(), () => {
    throw new NonRetryableError('no');
  });
  await expect(failing).rejects.toMatchObject({ messageId: record.messageId });
});

test("leaves Lambda's context unchanged, and keeps overlapping invocations apart", async () => {
  const shared = Object.freeze({ ...untimed });
  const record = sqsRecord({ task_name: 'work' });
  const contexts = [1, 2].map((number) => {
    const stage = inPosition('number', (run, next) => {
      run.task = number;
      return next();
    });
    return declare(record, [stage], shared);
  });
  const seen = await Promise.all(contexts.map((context) => runTask(record, context, (task: Task) => task)));
  expect(seen).toEqual([1, 2]);
  expect(Object.getOwnPropertySymbols(shared)).toEqual([]);
});

describe('a careless stage', () => {
  const careless: [string, Stage['around'], unknown][] = [
    [
      'does not await next()',
      async (_, next) => {
        next();
      },
      undefined,
    ],
    ['never calls next()', async () => {}, { code: 'STAGE_DID_NOT_CONTINUE' }],
    [
      'swallows an error',
      async (_, next) => {
        await next().catch(() => {});
      },
      { message: 'broken' },
    ],
    [
      'swallows the error of a second next()',
      async (_, next) => {
        await next();
        next().catch(() => {});
      },
      { code: 'NEXT_CALLED_TWICE' },
    ],
    [
      'throws while the handler is running',
      async (_, next) => {
        next();
        throw new Error('impatient');
      },
      { message: 'impatient' },
    ],
  ];
  test.each(careless)('%s: the record is not done before its handler', async (name, around, failure) => {
    const record = sqsRecord({ task_name: 'work' });
    let isDone = false;
    const work = async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      isDone = true;
      if (name === 'swallows an error') throw new Error('broken');
    };
    const running = runTask(record, declare(record, [inPosition('careless', around)]), work);
    if (failure) await expect(running).rejects.toMatchObject(failure);
    else await running;
    expect(isDone).toBe(name !== 'never calls next()');
  });

  test('may take responsibility for an error, or skip the handler', async () => {
    const record = sqsRecord({ task_name: 'work' });
    const answers = inPosition('answers', async (run, next) => {
      await next().catch((error) => {
        run.failure = error;
      });
    });
    const broken = () => {
      throw new Error('broken');
    };
    await expect(runTask(record, declare(record, [answers]), broken)).resolves.toBeUndefined();
    const skips = inPosition('skips', async ({ skip }) => skip('cached'));
    await expect(runTask(record, declare(record, [skips]), broken)).resolves.toBe('cached');
  });

  test('that throws synchronously rejects, and outer stages see it', async () => {
    const record = sqsRecord({ task_name: 'work' });
    let isOver = false;
    const outer = inPosition('a outer', (_, next) =>
      next().finally(() => {
        isOver = true;
      }),
    );
    const broken = inPosition('b broken', () => {
      throw new Error('broken');
    });
    await expect(runTask(record, declare(record, [outer, broken]), () => {})).rejects.toThrow('broken');
    expect(isOver).toBe(true);
  });
});

test('a record whose context lacks parts, and takes none, fails', async () => {
  const record = sqsRecord({ task_name: 'work' });
  const pipeline = openPipeline('sqs', [record]);
  pipeline.contextParts.push({ own: { database: { value: 1 } } });
  const context = Object.freeze(extendContext(untimed, { own: pipelineProperty(pipeline) }));
  await expect(runTask(record, context, () => 'result')).rejects.toThrow(TypeError);
  expect(pipeline.ledger.undone()).toMatchObject([{ state: 'failed' }]);
});

describe('a handler', () => {
  const record = sqsRecord({ task_name: 'work' });
  const handler = () => {
    throw new Error('started');
  };

  test('is not started with a signal that is aborted', async () => {
    const running = runTask(record, untimed, handler, { signal: AbortSignal.abort() });
    await expect(running).rejects.toMatchObject({ code: 'NOT_STARTED', messageId: record.messageId });
  });

  test('is not started if the time runs out in the stages', async () => {
    const stop = new AbortController();
    const slow = inPosition('slow', (_, next) => {
      stop.abort();
      return next();
    });
    const running = runTask(record, declare(record, [slow]), handler, { signal: stop.signal });
    await expect(running).rejects.toMatchObject({ code: 'NOT_STARTED' });
  });

  test('may throw endChain(), also after a wait', async () => {
    const ending = async () => {
      await Promise.resolve();
      throw endChain('result');
    };
    expect(await runTask(record, untimed, ending)).toBe('result');
  });
});

test('a loop of its own acknowledges its records, with or without a stack', () => {
  const [done, open] = [sqsRecord({ task_name: 'a' }), sqsRecord({ task_name: 'b' })];
  const pipeline = openPipeline('sqs', [done, open]);
  const context = extendContext(untimed, { own: pipelineProperty(pipeline) });
  acknowledge(done, context);
  expect(pipeline.ledger.undone()).toMatchObject([{ id: open.messageId, state: 'untouched' }]);
  for (const other of [untimed, undefined]) acknowledge(done, other);
});
