import type { Equivalents } from '../score.ts';

export const equivalent: Equivalents = {
  'middlewares/callbackPublisher.ts': [
    [
      'return { task: { task_name, callback }, plan: undefined, ticket: undefined, endsBranch: false };',
      'return { task: { task_name, callback }, plan: undefined, ticket: undefined, endsBranch: true };',
      'it is read only together with a ticket',
    ],
    [
      "run.signal.addEventListener('abort', () => atDeadline(run), { once: true });",
      "run.signal.addEventListener('abort', () => atDeadline(run), {});",
      'a signal is aborted once',
    ],
    [
      "run.signal.addEventListener('abort', () => atDeadline(run), { once: true });",
      "run.signal.addEventListener('abort', () => atDeadline(run), { once: false });",
      'a signal is aborted once',
    ],
  ],
};
