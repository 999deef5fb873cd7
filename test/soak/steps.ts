/** The chain that every task of the soak goes along. */
export const steps = ['first', 'second', 'third'] as const;
export type Step = (typeof steps)[number];

/** What a task carries along its chain. */
export interface Load {
  n: number;
  /** The step at which it fails, and whether it does for good. */
  poison?: { at: Step; final: boolean };
  via: Step[];
}

/** Where it is written down that a task has run at a step. */
export function ledgerPrefix(step: Step): string {
  return `ledger/${step}/`;
}
