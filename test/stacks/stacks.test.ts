import { afterAll, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { checkStack, stackCase } from './stacks.ts';

const quiet = [jest.spyOn(console, 'error'), jest.spyOn(console, 'warn'), jest.spyOn(console, 'info')];
for (const spy of quiet) spy.mockImplementation(() => {});
afterAll(() => {
  for (const spy of quiet) spy.mockRestore();
});

test('each record is done, or named in the answer, or the invocation fails; and what is done is acknowledged', async () => {
  const seen = { acknowledged: 0, named: 0, failed: 0 };
  await fc.assert(
    fc.asyncProperty(stackCase, async (stack) => {
      const { acknowledged, named, failed } = await checkStack(stack);
      seen.acknowledged += acknowledged;
      seen.named += named;
      seen.failed += failed ? 1 : 0;
    }),
    { numRuns: 400 },
  );
  process.stdout.write(`stacks: ${JSON.stringify(seen)}\n`);
  expect(Object.values(seen).filter((count) => count === 0)).toEqual([]);
}, 60_000);
