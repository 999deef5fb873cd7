/** `npm run soak -- --tasks 5000 --seed 1`: see runSoak. Exits with 1 if a task is lost. */
import { parseArgs } from 'node:util';
import { runSoak } from './runSoak.ts';

const { values } = parseArgs({
  options: { tasks: { type: 'string', default: '5000' }, seed: { type: 'string' } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
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
