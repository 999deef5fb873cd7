import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { declareStage, NotATaskError, runTask, type Stage, type Task } from '../../../core/index.ts';
import { lambdaContext } from '../../support/lambdaContext.ts';
import { sqsRecord } from '../../support/sqsRecord.ts';

const declare = (event: object, stages: Stage[]) => {
  const request = { event, context: lambdaContext() as unknown };
  for (const stage of stages) declareStage(request, stage);
  return request.context;
};

test('stages are an onion around the handler, by their ranks, whatever the order they were declared in', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.integer(), { maxLength: 6 }), async (ranks) => {
      const record = sqsRecord({ task_name: 'work' });
      const steps: string[] = [];
      const stages = ranks.map((rank): Stage => {
        return {
          name: `${rank}`,
          rank,
          async around(_, next) {
            steps.push(`before ${rank}`);
            await next();
            steps.push(`after ${rank}`);
          },
          ready: () => void steps.push(`ready ${rank}`),
        };
      });
      const result = await runTask(record, declare({ Records: [record] }, stages), () => {
        steps.push('handler');
        return 'result';
      });
      const sorted = [...ranks].sort((a, b) => a - b);
      expect(result).toBe('result');
      expect(steps).toEqual([
        ...sorted.map((rank) => `before ${rank}`),
        ...sorted.map((rank) => `ready ${rank}`),
        'handler',
        ...sorted.reverse().map((rank) => `after ${rank}`),
      ]);
    }),
  );
});

test('a stage declared twice under one name runs once', async () => {
  const record = sqsRecord({ task_name: 'work' });
  let runs = 0;
  const stage = (): Stage => ({
    name: 'same',
    rank: 1,
    around(_, next) {
      runs += 1;
      return next();
    },
  });
  await runTask(record, declare({ Records: [record] }, [stage(), stage()]), () => {});
  expect(runs).toBe(1);
});

test('next() called twice is an error, not a second run of the handler', async () => {
  const record = sqsRecord({ task_name: 'work' });
  let runs = 0;
  const twice: Stage = {
    name: 'twice',
    rank: 1,
    async around(_, next) {
      await next();
      await next();
    },
  };
  const running = runTask(record, declare({ Records: [record] }, [twice]), () => {
    runs += 1;
  });
  await expect(running).rejects.toThrow('twice called next() twice');
  expect(runs).toBe(1);
});

test('an error of ours says which message it is about', async () => {
  const record = sqsRecord({ task_name: 'work' });
  const failing = runTask(record, lambdaContext(), () => {
    throw new NotATaskError();
  });
  await expect(failing).rejects.toMatchObject({ messageId: record.messageId });
});

test('the context that Lambda gave is not touched, and overlapping invocations that share one do not meet', async () => {
  const shared = Object.freeze(lambdaContext());
  const record = sqsRecord({ task_name: 'work' });
  const contexts = [1, 2].map((number) => {
    const request = { event: { Records: [record] }, context: shared as unknown };
    declareStage(request, {
      name: 'number',
      rank: 1,
      around(run, next) {
        run.task = number;
        return next();
      },
    });
    return request.context;
  });
  const seen = await Promise.all(contexts.map((context) => runTask(record, context, (task: Task) => task)));
  expect(seen).toEqual([1, 2]);
  expect(Object.getOwnPropertySymbols(shared)).toEqual([]);
});
