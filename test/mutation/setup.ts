import { beforeEach } from 'vitest';

/**
 * Left out while mutating: tests of very large values, which would be most of the time, and those that depend on how jest runs
 * them. By name, because StrykerJS replaces `testNamePattern`.
 */
const LEFT_OUT =
  /\bmillion\b|\b(?:20|50|100),?000\b|linear time|overflow the stack|beside other numbers, keys|leaves no timer behind|marks each cycle/;

beforeEach(({ task, skip }) => {
  if (LEFT_OUT.test(task.name)) skip();
});
