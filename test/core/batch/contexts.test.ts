import { describe, expect, test } from '@jest/globals';
import { identityOf } from '../../../core/batch/identity.ts';
import { lineSinkOf, lineSinkProperty } from '../../../core/batch/lineSink.ts';
import {
  addParts,
  addStage,
  type ContextParts,
  directProperty,
  extendContext,
  isDirectContext,
  openPipeline,
  pipelineOf,
  pipelineProperty,
  restoreParts,
} from '../../../core/batch/pipeline.ts';
import type { OpenRun, Stage } from '../../../core/batch/stage.ts';
import { unwrap } from '../../../core/batch/unwrapTask.ts';
import { fanOut, runTask } from '../../../core/index.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

const own = (key: string, value: unknown): ContextParts => ({
  own: { [key]: { value, enumerable: true, configurable: true } },
});

describe('the context of an invocation', () => {
  test('has its pipeline, also in a copy, under a symbol that copies of the package share', () => {
    const pipeline = openPipeline('sqs', []);
    const context = extendContext(lambdaContext(), { own: pipelineProperty(pipeline) });
    expect(pipelineOf(context)).toBe(pipeline);
    expect(pipelineOf({ ...context })).toBe(pipeline);
    expect((context as never as Record<symbol, unknown>)[Symbol.for('algernon-middy.pipeline')]).toBe(
      pipeline,
    );
    const inner = openPipeline('sns', []);
    expect(pipelineOf(extendContext(context, { own: pipelineProperty(inner) }))).toBe(inner);
    expect(Reflect.deleteProperty(context, Symbol.for('algernon-middy.pipeline'))).toBe(true);
    for (const other of [null, undefined, {}]) expect(pipelineOf(other)).toBeUndefined();
  });

  test('is marked for a direct invocation', () => {
    const context = extendContext(lambdaContext(), { own: directProperty });
    expect(
      [context, { ...context }, { [Symbol.for('algernon-middy.direct')]: true }].map(isDirectContext),
    ).toEqual([true, true, true]);
    for (const other of [null, undefined, {}, lambdaContext()]) expect(isDirectContext(other)).toBe(false);
  });

  test('may have a sink of lines', () => {
    const sink = (() => {}) as never;
    expect(lineSinkOf({ ...lambdaContext(), ...lineSinkProperty(sink) })).toBe(sink);
    expect(lineSinkOf({ [Symbol.for('algernon-middy.lineSink')]: sink })).toBe(sink);
    for (const other of [null, undefined, {}]) expect(lineSinkOf(other)).toBeUndefined();
  });

  test('gets back the parts that a copy has lost, and keeps those that it has', () => {
    const pipeline = openPipeline('sqs', []);
    pipeline.contextParts.push(own('a', 1), own('b', 2));
    const context: Record<string, unknown> = { b: 'kept' };
    restoreParts(pipeline, context);
    expect(context).toEqual({ a: 1, b: 'kept' });
    // It is checked once.
    delete context['a'];
    restoreParts(pipeline, context);
    expect(context).toEqual({ b: 'kept' });
    const other: Record<string, unknown> = {};
    restoreParts(pipeline, other);
    expect(other).toEqual({ a: 1, b: 2 });
  });

  test('gets back inherited parts', () => {
    const inherited = Object.freeze({ c: 3, d: 4 });
    const parts: ContextParts = { own: {}, inherited };
    const pipeline = openPipeline('sqs', []);
    pipeline.contextParts.push(parts);
    const plain: Record<string, unknown> = { x: 1 };
    restoreParts(pipeline, plain);
    expect([plain['c'], plain['d'], Object.keys(plain)]).toEqual([3, 4, ['x']]);
    expect(Object.getPrototypeOf(plain)).toBe(inherited);
    class Context {}
    const instance = new Context() as Record<string, unknown>;
    addParts(instance, parts);
    expect(instance).toBeInstanceOf(Context);
    expect([instance['c'], Object.keys(instance)]).toEqual([3, ['c', 'd']]);
    // Those that it has are not replaced.
    const complete = Object.assign(new Context(), { c: 'own', d: 'own' });
    restoreParts(pipeline, complete);
    expect(complete.c).toBe('own');
    const partly = Object.assign(new Context(), { c: 'own' }) as object as Record<string, unknown>;
    restoreParts(pipeline, partly);
    expect([partly['c'], partly['d']]).toEqual([3, 4]);
  });
});

describe('a run', () => {
  const record = sqsRecord({ task_name: 'a' });
  const stackOf = (remaining: () => number, ...stages: Stage[]) => {
    const pipeline = openPipeline('sqs', [record]);
    for (const stage of stages) addStage(pipeline, stage);
    const context = extendContext(lambdaContext({ getRemainingTimeInMillis: remaining }), {
      own: pipelineProperty(pipeline),
    });
    return { pipeline, context };
  };
  const endless = () => Number.POSITIVE_INFINITY;

  test('is not started after the deadline', async () => {
    const { pipeline, context } = stackOf(() => 400);
    let isRun = false;
    const running = runTask(record, context, () => {
      isRun = true;
    });
    await expect(running).rejects.toMatchObject({
      code: 'NOT_STARTED',
      retryable: true,
      messageId: record.messageId,
    });
    expect(isRun).toBe(false);
    expect(pipeline.ledger.undone()).toMatchObject([{ state: 'failed', reason: { code: 'NOT_STARTED' } }]);
    pipeline.deadline?.clear();
  });

  test('has the signal, the cut-off and the part of its invocation', async () => {
    const runs: OpenRun[] = [];
    const watch: Stage = {
      name: 'watch',
      order: { after: 'log' },
      async around(run, next) {
        runs.push(run as OpenRun);
        await next();
      },
    };
    const { pipeline, context } = stackOf(endless, watch);
    await runTask(record, context, () => 1);
    await runTask({ ...record }, context, () => 1);
    const { signal } = new AbortController();
    await runTask(record, context, () => 1, { signal });
    expect(runs.map(({ part }) => part)).toEqual([0, 1, 0]);
    expect(runs[0]?.signal).toBe(pipeline.deadline?.signal);
    expect(runs[0]?.cutoff).toBe(pipeline.deadline?.cutoff);
    expect([runs[2]?.signal, runs[2]?.cutoff]).toEqual([signal, signal]);
    expect(pipeline.ledger.undone()).toEqual([]);
  });

  test('gets the parts of the context back that a copy has lost', async () => {
    const { pipeline, context } = stackOf(endless);
    pipeline.contextParts.push(own('db', 'connection'));
    const copy = { ...context } as { db?: string };
    expect(await runTask(record, copy, (_: unknown, { db }: { db?: string }) => db)).toBe('connection');
  });

  test('without a stack has a signal that is never aborted', async () => {
    const result = await runTask(record, lambdaContext(), (_, __, { signal, record: given }) => [
      signal.aborted,
      given === record,
    ]);
    expect(result).toEqual([false, true]);
  });

  test('fails if a stage called next() twice and hid the error, or if nothing sends its group', async () => {
    const twice: Stage = {
      name: 'twice',
      order: { after: 'log' },
      async around(_, next) {
        await next();
        await Promise.resolve(next()).catch(() => {});
      },
    };
    const { pipeline, context } = stackOf(endless, twice);
    await expect(runTask(record, context, () => 1)).rejects.toThrow('next()');
    expect(pipeline.ledger.undone()).toHaveLength(1);
    const group = () => fanOut([{ task_name: 'b', task_kwargs: {} }], { then: 'c' });
    await expect(runTask(record, lambdaContext(), group)).rejects.toMatchObject({ code: 'FAN_OUT_NOT_SENT' });
  });
});

test('the task after a group is identified by the group', () => {
  const group = `${'a'.repeat(15)}1q0Xyz`;
  const joined = sqsRecord({ task_name: 'album' });
  const MessageAttributes = { group_id: { Type: 'String', Value: group } };
  joined.body = JSON.stringify({ ...JSON.parse(joined.body), MessageAttributes });
  const identity = identityOf({
    record: joined,
    context: undefined as never,
    part: 0,
    unwrap: () => unwrap(joined),
  });
  expect(identity.messageId).toBe(`${group}.then`);
  const created = [...group.slice(15)].reduce(
    (sum, digit) =>
      sum * 62 + '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'.indexOf(digit),
    0,
  );
  expect(identity.sentAt).toBe(created * 1000);
});
