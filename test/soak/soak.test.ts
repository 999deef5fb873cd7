import { expect, test } from '@jest/globals';
import { runSoak } from './runSoak.ts';

test('of 200 tasks, with faults, poison and killed workers, none is lost', async () => {
  const { lost, wrong, sent, ended, poisoned, wornOut, kills } = await runSoak({
    tasks: 200,
    seed: 7,
    poisonEvery: 50,
  });
  expect({ lost, wrong, sent }).toEqual({ lost: [], wrong: [], sent: 200 });
  expect(ended + poisoned + wornOut).toBe(200);
  expect(poisoned).toBe(4);
  expect(kills).toBeGreaterThan(0);
}, 90_000);
