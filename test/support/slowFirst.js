import Sequencer from '@jest/test-sequencer';

/** The suites that wait for npm, a compiler or killed processes. In a fresh clone jest sorts by size, and would end with one of them. */
const slow = [
  'package',
  'soak/soak',
  'bundlers',
  'site',
  'middlewares/groups',
  'local/cli/cli',
  'examples/cdk',
  'entryPoints',
  'stacks/stacks',
].map((name) => `/test/${name}.test.ts`);

const isSlow = ({ path }) => slow.some((name) => path.endsWith(name));

/** Starts the slowest suites first. */
export default class SlowFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    return [...sorted.filter(isSlow), ...sorted.filter((test) => !isSlow(test))];
  }
}
