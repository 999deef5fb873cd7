/** The chain of every task. */
export const steps = ['first', 'second', 'third'] as const;
export type Step = (typeof steps)[number];

/** The arguments of a task. */
export interface Load {
  n: number;
  /** The step at which it fails, and whether the failure is final. */
  poison?: { at: Step; final: boolean };
  via: Step[];
}

/** The key that records that a task completed a step. */
export function ledgerPrefix(step: Step): string {
  return `ledger/${step}/`;
}
