import { expect, jest, test } from '@jest/globals';
import { createRandom } from '../soak/createRandom.ts';
import { runRandomGroup } from './randomGroup.ts';

// On a machine that does other work too.
jest.setTimeout(120_000);

test('groups of 1 to 1,000 branches join once, complete and in one way, under kills, doubles, 409 and 412', async () => {
  const random = createRandom(17);
  const sizes = [1, 2, 3, 5, 1000, ...Array.from({ length: 60 }, () => Math.ceil(10 ** (random() * 2.3)))];
  const total = { kills: 0, doubles: 0, conflicts: 0, repeated: 0, lost: 0, puts: 0, gets: 0, branches: 0 };
  for (const [seed, count] of sizes.entries()) {
    const report = await runRandomGroup(count, seed);
    expect({ seed, count, joins: report.joins.length, early: report.early }).toEqual({
      seed,
      count,
      joins: 1,
      early: 0,
    });
    for (const key of ['kills', 'doubles', 'conflicts', 'repeated', 'lost', 'puts', 'gets'] as const)
      total[key] += report[key];
    total.branches += count;
  }
  if (process.env.SHOW_STATES) console.log(total);
  // A simulator without faults proves nothing.
  for (const fault of Object.values(total)) expect(fault).toBeGreaterThan(50);
});
