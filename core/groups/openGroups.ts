import { closeGroup } from './closeGroup.ts';
import type { GroupAccess } from './groupAccess.ts';
import { joinGroup } from './joinGroup.ts';
import { type GroupPlan, type Prepare, readPlan } from './plan.ts';
import type { BranchOutcome } from './slot.ts';
import { startGroup } from './startGroup.ts';
import type { Ticket } from './ticket.ts';

/** The work of senders and workers on groups. */
export interface Groups {
  /**
   * Stores the plan of a group and sends its branches. Called again for the same work, it goes on with the stored plan.
   *
   * @param prepare makes the settings and messages. Not called when there is a plan
   */
  start(hash: string, prepare: Prepare, signal?: AbortSignal): Promise<GroupPlan>;
  /** Reads the plan of a branch and checks its ticket. */
  read(ticket: Ticket, signal?: AbortSignal): Promise<GroupPlan>;
  /** Records the outcome of a branch, and sends `then` if it was the last one. */
  join(ticket: Ticket, outcome: BranchOutcome, signal?: AbortSignal): Promise<void>;
  /** Closes a group at its deadline: branches without an outcome are recorded as failed. */
  close(group: string, signal?: AbortSignal): Promise<void>;
}

/** Opens the groups of a bucket. */
export function openGroups(settings: Omit<GroupAccess, 'plans' | 'signal'>): Groups {
  const plans: GroupAccess['plans'] = new Map();
  const accessFor = (signal: AbortSignal | undefined): GroupAccess => ({ ...settings, plans, signal });
  return {
    start: (hash, prepare, signal) => startGroup(accessFor(signal), hash, prepare),
    read: (ticket, signal) => readPlan(accessFor(signal), ticket),
    async join(ticket, outcome, signal) {
      await joinGroup(accessFor(signal), ticket, outcome);
    },
    close: (group, signal) => closeGroup(accessFor(signal), group),
  };
}
