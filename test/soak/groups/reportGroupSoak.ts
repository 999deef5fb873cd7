import { type GroupSoakReport, runGroupSoak } from './runGroupSoak.ts';

/** Runs the soak of groups and prints its counts. Resolves to whether every group has joined once, and in one way. */
export async function reportGroupSoak(options: Parameters<typeof runGroupSoak>[0]): Promise<boolean> {
  const { groups, branches, seed } = options;
  console.log(`seed ${seed}: ${groups} groups of 1 to ${branches} branches, two workers that are killed`);
  const report = await runGroupSoak(options);
  const { joined, kinds, repeats, redriven, kills, lost, wrong, seconds } = report;
  const rate = (report.branches / seconds).toFixed(0);
  console.log(
    `${joined} of ${groups} groups joined, ${report.branches} branches in ${seconds.toFixed(1)} s: ${rate} a second`,
  );
  console.log(`branches by kind: ${JSON.stringify(kinds)}`);
  console.log(
    `${kills} kills, ${redriven} dead letters redriven, ${repeats} joins repeated, ${lost.length} groups lost`,
  );
  for (const line of [...wrong, ...uncovered(report)].slice(0, 50)) console.error(line);
  if (lost.length > 0) console.error(`lost: ${lost.join(', ')}`);
  return lost.length === 0 && wrong.length === 0 && uncovered(report).length === 0;
}

/** A soak without kills, or without branches of a kind, proves nothing about them. */
function uncovered({ joined, kills, kinds, groups }: GroupSoakReport): string[] {
  const expected = groups >= 50 ? (['plain', 'chain', 'python', 'nested', 'failing', 'large'] as const) : [];
  return [
    ...(joined === 0 ? ['no group has joined'] : []),
    ...(kills === 0 ? ['no worker was killed'] : []),
    ...expected.filter((kind) => !kinds[kind]).map((kind) => `there was no branch of the kind ${kind}`),
  ];
}
