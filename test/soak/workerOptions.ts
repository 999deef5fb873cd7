import type { WorkerOptions } from '../../local/index.ts';
import { type Step, steps } from './steps.ts';

/** How the queues of the soak are read. What a killed worker held comes back after the visibility timeout. */
export const workerOptions: Omit<WorkerOptions<Step>, 'aws' | 'handler'> = {
  tasks: steps,
  pollers: 2,
  visibilityTimeoutSeconds: 3,
  maxReceiveCount: 12,
  onInvocation: () => {},
  onError: () => {},
};
