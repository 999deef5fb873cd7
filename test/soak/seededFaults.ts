import { type Fault, type FaultOf, reset, timeOut } from '../support/faultyClients.ts';

const kinds: readonly (() => Fault)[] = [
  () => ({ status: 503, code: 'SlowDown' }),
  () => ({ status: 429, code: 'TooManyRequestsException' }),
  () => ({ status: 500, code: 'InternalError' }),
  timeOut,
  reset,
  // These two are done, and nobody knows.
  () => ({ lost: timeOut() }),
  () => ({ lost: reset() }),
];

/** Faults that pass, in so many of a hundred calls. */
export function seededFaults(random: () => number, percent: number): FaultOf {
  return () => {
    if (random() * 100 >= percent) return undefined;
    return kinds[Math.floor(random() * kinds.length)]?.();
  };
}
