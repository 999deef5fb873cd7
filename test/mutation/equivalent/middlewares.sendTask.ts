import type { Equivalents } from '../score.ts';

const REASON = 'const reason = first?.error instanceof Error ? first.error.message : String(first?.error);';
const THROWN = 'if (!outcome?.sent) throw outcome?.error;';
const hasFailures = 'the error is made only if a task has failed: the ?. is for the compiler';
const hasOutcome = 'each task has an outcome: the ?. is for the compiler';

export const equivalent: Equivalents = {
  'middlewares/sendTask.ts': [
    [
      REASON,
      'const reason = first?.error instanceof Error ? first.error.message : String(first.error);',
      hasFailures,
    ],
    [
      REASON,
      'const reason = first.error instanceof Error ? first.error.message : String(first?.error);',
      hasFailures,
    ],
    [
      '{ cause: first?.error, retryable: failures.every(({ error }) => !isFinal(error)) },',
      '{ cause: first.error, retryable: failures.every(({ error }) => !isFinal(error)) },',
      hasFailures,
    ],
    [THROWN, 'if (!outcome?.sent) throw outcome.error;', hasOutcome],
    [THROWN, 'if (!outcome.sent) throw outcome?.error;', hasOutcome],
  ],
};
