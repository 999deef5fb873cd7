import type { WorkerOptions } from '../../local/index.ts';
import { type Step, steps } from './steps.ts';

/** The queue settings of the soak. Messages of a killed worker return after the visibility timeout. */
export const workerOptions: Omit<WorkerOptions<Step>, 'aws' | 'handler'> = {
  tasks: steps,
  pollers: 2,
  visibilityTimeoutSeconds: 3,
  maxReceiveCount: 12,
  onInvocation: () => {},
  onError: () => {},
};
