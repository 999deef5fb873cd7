import { afterAll, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { checkStack, type StackCase, stackCase } from './stacks.ts';

// Powertools writes metrics past console.
process.env.POWERTOOLS_METRICS_DISABLED = 'true';

const quiet = [jest.spyOn(console, 'error'), jest.spyOn(console, 'warn'), jest.spyOn(console, 'info')];
for (const spy of quiet) spy.mockImplementation(() => {});
afterAll(() => {
  for (const spy of quiet) spy.mockRestore();
});

const check = async (cases: fc.Arbitrary<StackCase>, numRuns: number) => {
  const seen = { acknowledged: 0, named: 0, failed: 0 };
  await fc.assert(
    fc.asyncProperty(cases, async (stack) => {
      const { acknowledged, named, failed } = await checkStack(stack);
      seen.acknowledged += acknowledged;
      seen.named += named;
      seen.failed += failed ? 1 : 0;
    }),
    { numRuns },
  );
  return seen;
};

test('each record is done or reported, or the invocation fails; and what is done is acknowledged', async () => {
  const seen = await check(stackCase, 400);
  process.stdout.write(`stacks: ${JSON.stringify(seen)}\n`);
  expect(Object.values(seen).filter((count) => count === 0)).toEqual([]);
}, 60_000);

test('an SNS notification is done, or the invocation fails', async () => {
  const { acknowledged, named, failed } = await check(
    stackCase.map((stack) => ({ ...stack, event: 'sns' as const })),
    200,
  );
  expect({ acknowledged: acknowledged > 0, named, failed: failed > 0 }).toEqual({
    acknowledged: true,
    named: 0,
    failed: true,
  });
}, 60_000);
