export type { FanOut } from './FanOutResult.ts';
export { fanOut, type GroupOptions } from './fanOut.ts';
export { GroupError } from './GroupError.ts';
export type { BranchError, FailedBranch } from './slot.ts';
