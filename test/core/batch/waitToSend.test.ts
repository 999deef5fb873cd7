import { describe, expect, test } from '@jest/globals';
import { addStage, extendContext, openPipeline, pipelineProperty } from '../../../core/batch/pipeline.ts';
import type { Stage, TaskRun } from '../../../core/batch/stage.ts';
import { queued, runTask, type TaskRecord } from '../../../core/index.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

const large = 'x'.repeat(100_000);
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const recordsOf = (message: unknown, count: number) =>
  Array.from({ length: count }, () => sqsRecord(message));

/** A context with one stage for these records. Without a clock, so that a loop starts no timer. */
function contextOf(records: readonly TaskRecord[], around: Stage['around']) {
  const pipeline = openPipeline('sqs', records);
  addStage(pipeline, { name: 'wait', order: { after: 'log' }, around });
  const untimed = lambdaContext({ getRemainingTimeInMillis: () => Number.POSITIVE_INFINITY });
  return extendContext(untimed, { own: pipelineProperty(pipeline) });
}

/** Runs records one at a time. */
function run(Records: TaskRecord[], handler: () => unknown, around: Stage['around']) {
  const context = contextOf(Records, around);
  return queued(handler, { concurrency: 1 })({ Records } as never, context);
}

describe('a task that waits to send', () => {
  /** The values that a run holds while it waits. */
  const heldBy = async (record: TaskRecord, result: unknown, task?: unknown) => {
    let held: Pick<TaskRun, 'task' | 'result'> | undefined;
    await run(
      [record],
      () => result,
      async (current, next) => {
        if (task) current.task = task;
        await next();
        current.waitToSend();
        held = { task: current.task, result: current.result };
      },
    );
    return held;
  };
  const small = { task_name: 'work', extra: 1 };

  test('holds a small task and a small result', async () => {
    const held = await heldBy(sqsRecord({ task_name: 'work' }), 'small', small);
    expect(held).toEqual({ task: small, result: 'small' });
  });

  test('holds neither a large result nor a large task, but that of the message', async () => {
    const held = await heldBy(sqsRecord({ task_name: 'work' }), { large }, { task_name: 'work', large });
    expect(held).toEqual({ task: { task_name: 'work' }, result: undefined });
  });

  test('holds the record if no stage has replaced it, even a large one', async () => {
    const record = sqsRecord({ task_name: 'work' }, { md5OfBody: large });
    expect((await heldBy(record, 'small'))?.task).toBe(record);
  });

  test('keeps everything if its message is large', async () => {
    const task = { task_name: 'work', large };
    expect(await heldBy(sqsRecord(task), { large }, task)).toEqual({ task, result: { large } });
  });

  test('keeps everything in a loop, which has no lanes', async () => {
    const record = sqsRecord({ task_name: 'work' });
    let held: unknown;
    const context = contextOf([record], async (current, next) => {
      await next();
      current.waitToSend();
      held = current.result;
    });
    expect(await runTask(record, context, () => large)).toBe(large);
    expect(held).toBe(large);
  });

  test.each([
    ['lets another one start', { task_name: 'work' }, ['starts', 'starts', 'ends', 'ends']],
    [
      'with a large message lets none start',
      { task_name: 'work', large },
      ['starts', 'ends', 'starts', 'ends'],
    ],
  ])('%s', async (_, message, expected) => {
    const steps: string[] = [];
    await run(
      recordsOf(message, 2),
      () => void steps.push('starts'),
      async (current, next) => {
        await next();
        current.waitToSend();
        for (let n = 0; n < 5; n += 1) await turn();
        steps.push('ends');
      },
    );
    expect(steps).toEqual(expected);
  });

  test('frees no lane once it has ended', async () => {
    const waits: (() => void)[] = [];
    const running = { now: 0, most: 0 };
    const work = async () => {
      if (waits.length > 1) waits[0]?.();
      running.now += 1;
      running.most = Math.max(running.most, running.now);
      await turn();
      running.now -= 1;
    };
    await run(recordsOf({ task_name: 'work' }, 4), work, (current, next) => {
      waits.push(current.waitToSend);
      return next();
    });
    expect(waits).toHaveLength(4);
    expect(running.most).toBe(1);
  });
});
