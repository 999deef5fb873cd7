import { type Fault, type FaultOf, reset, timeOut } from '../support/faultyClients.ts';

const kinds: readonly (() => Fault)[] = [
  () => ({ status: 503, code: 'SlowDown' }),
  () => ({ status: 429, code: 'TooManyRequestsException' }),
  () => ({ status: 500, code: 'InternalError' }),
  timeOut,
  reset,
  // The call succeeds, but its response is lost.
  () => ({ lost: timeOut() }),
  () => ({ lost: reset() }),
];

/** Transient faults in the given percentage of calls. */
export function seededFaults(random: () => number, percent: number): FaultOf {
  return () => {
    if (random() * 100 >= percent) return undefined;
    return kinds[Math.floor(random() * kinds.length)]?.();
  };
}
