/**
 * `npm run soak -- --tasks 5000 --seed 1`: see runSoak. Exits with 1 when a task is lost.
 * `npm run soak -- groups --groups 1000 --branches 100 --seed 1`: see runGroupSoak. Exits with 1 when a group is lost or wrong.
 */
import { parseArgs } from 'node:util';
import { reportGroupSoak } from './groups/reportGroupSoak.ts';
import { runSoak } from './runSoak.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tasks: { type: 'string', default: '5000' },
    groups: { type: 'string', default: '200' },
    branches: { type: 'string', default: '50' },
    seed: { type: 'string' },
  },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
if (positionals[0] === 'groups') {
  const isRight = await reportGroupSoak({
    groups: Number(values.groups),
    branches: Number(values.branches),
    seed,
  });
  process.exit(isRight ? 0 : 1);
}
const tasks = Number(values.tasks);
console.log(`seed ${seed}: ${tasks} tasks in chains of three, two workers, a fault in one call of ten`);
const report = await runSoak({ tasks, seed });
const { sent, ended, poisoned, wornOut, lost, wrong, runs, repeats, kills, seconds } = report;
console.log(`${runs} runs in ${seconds.toFixed(1)} s: ${(runs / seconds).toFixed(0)} a second`);
console.log(`${repeats} repeats; workers killed ${kills} times`);
console.log(
  `of ${sent} sent: ${ended} ended, ${poisoned} poisonous and ${wornOut} worn out in the dead-letter queues, ${lost.length} lost`,
);
for (const line of wrong) console.error(line);
if (lost.length > 0) console.error(`lost: ${lost.join(', ')}`);
process.exitCode = lost.length > 0 || wrong.length > 0 ? 1 : 0;
