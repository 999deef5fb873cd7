import { describe, expect, test } from '@jest/globals';
import { addStage, extendContext, openPipeline, pipelineProperty } from '../../../core/batch/pipeline.ts';
import { runStages } from '../../../core/batch/runStages.ts';
import { OpenRun, type Stage } from '../../../core/batch/stage.ts';
import { runTask, type TaskRecord } from '../../../core/index.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';
import { unhandledIn } from '../../support/unhandledIn.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const inPosition = (name: string, around?: Stage['around']): Stage => ({
  name,
  order: { after: 'log' },
  around,
});

/** Runs one record through stages, in the order of their names. */
function run(handler: () => unknown, ...stages: Stage[]): Promise<unknown> {
  const record: TaskRecord = sqsRecord({ task_name: 'work' });
  const pipeline = openPipeline('sqs', [record]);
  for (const stage of stages) addStage(pipeline, stage);
  const untimed = lambdaContext({ getRemainingTimeInMillis: () => Number.POSITIVE_INFINITY });
  return runTask(record, extendContext(untimed, { own: pipelineProperty(pipeline) }), handler);
}

const broken = () => {
  throw new Error('broken');
};

test('a stage that returns the promise of next() adds no promise', () => {
  const { signal } = new AbortController();
  const context = lambdaContext();
  const open = new OpenRun({ record: undefined, context, signal, cutoff: signal, task: {}, part: 0 });
  const done = Promise.resolve();
  const stages = [
    inPosition('a', (_, next) => next()),
    inPosition('b'),
    inPosition('c', (_, next) => next()),
  ];
  expect(runStages(stages, 0, open, () => done)).toBe(done);
});

describe('a stage that does not wait for the inner stages', () => {
  test.each<[string, Stage['around']]>([
    [
      'and calls next() at once',
      async (_, next) => {
        void next();
        for (let n = 0; n < 3; n += 1) await turn();
      },
    ],
    [
      'and calls next() later',
      async (_, next) => {
        await turn();
        void next();
        for (let n = 0; n < 3; n += 1) await turn();
      },
    ],
  ])('%s: their failure fails the record, and is not an unhandled rejection', async (_, around) => {
    const unhandled = await unhandledIn(() =>
      expect(run(broken, inPosition('careless', around))).rejects.toThrow('broken'),
    );
    expect(unhandled).toEqual([]);
  });
});

describe('a second next()', () => {
  const misuse = { code: 'NEXT_CALLED_TWICE', retryable: true };
  const twice = inPosition('b twice', (_, next) => {
    const inner = next();
    next().catch(() => {});
    return inner;
  });
  const late = inPosition('a late', (_, next) => {
    setImmediate(() => void next().catch(() => {}));
    return next();
  });
  const slowly = async () => {
    for (let n = 0; n < 3; n += 1) await turn();
    return 1;
  };

  test('fails the stage that made it, as the outer stages see', async () => {
    const seen: unknown[] = [];
    const outer = inPosition('a outer', async (_, next) => {
      await next().catch((error) => seen.push(error));
    });
    await expect(run(() => 1, outer, twice)).rejects.toMatchObject(misuse);
    expect(seen).toMatchObject([misuse]);
  });

  test('whose error the stage hides fails the outer stages too', async () => {
    const seen: unknown[] = [];
    const outer = inPosition('a outer', async (_, next) => {
      await next().catch((error) => seen.push(error));
    });
    const hiding = inPosition('b hiding', async (_, next) => {
      await next();
      await next().catch(() => {});
    });
    await expect(run(() => 1, outer, hiding)).rejects.toMatchObject(misuse);
    expect(seen).toMatchObject([misuse]);
  });

  test('fails the record even after the stage has returned', async () => {
    await expect(run(slowly, late)).rejects.toMatchObject(misuse);
  });

  test('does not fail a record whose failure a stage has handled', async () => {
    const handling = inPosition('b handling', async (current, next) => {
      await next();
      current.failure = new Error('handled');
    });
    await expect(run(slowly, late, handling)).resolves.toBe(1);
  });
});

test('a record that a stage forgets comes back', async () => {
  const forgetful = inPosition('forgetful', () => {});
  await expect(run(() => 1, forgetful)).rejects.toMatchObject({
    code: 'STAGE_DID_NOT_CONTINUE',
    retryable: true,
  });
});

test('a chain does not end unless the handler ends it', async () => {
  const seen: boolean[] = [];
  const watch = inPosition('watch', async (current, next) => {
    seen.push(current.endsChain);
    await next();
    seen.push(current.endsChain);
  });
  await run(() => 1, watch);
  expect(seen).toEqual([false, false]);
});
