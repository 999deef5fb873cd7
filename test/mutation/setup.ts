import { afterEach, beforeEach } from 'vitest';
import { watchChildren } from './children.ts';

/**
 * Left out while mutating: tests of very large values or of killed processes, which would be most of the time, and those that
 * depend on how jest runs them. By the names of tests and their suites, because StrykerJS replaces `testNamePattern`.
 */
const LEFT_OUT =
  /worker that is killed|error outside a task's promise|\bmillion\b|\b(?:20|50|100),?000\b|linear time|overflow the stack|beside other numbers, keys|leaves no timer behind|marks each cycle/;

let endTest: () => void = () => {};

beforeEach(({ task, skip }) => {
  endTest = watchChildren();
  if (LEFT_OUT.test(`${task.suite?.name} ${task.name}`)) skip();
});

afterEach(() => endTest());
