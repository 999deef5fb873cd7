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
  start(hash: string, prepare: Prepare, call?: GroupCall): Promise<GroupPlan>;
  /** Reads the plan of a branch and checks its ticket. */
  read(ticket: Ticket, call?: GroupCall): Promise<GroupPlan>;
  /** Records the outcome of a branch, and sends `then` if it was the last one. */
  join(ticket: Ticket, outcome: BranchOutcome, call?: GroupCall): Promise<void>;
  /** Closes a group at its deadline: branches without an outcome are recorded as failed. */
  close(group: string, call?: GroupCall): Promise<void>;
}

/** The options of a single call. */
export type GroupCall = Pick<GroupAccess, 'signal' | 'report'>;

/** Opens the groups of a bucket. */
export function openGroups(settings: Omit<GroupAccess, 'plans' | keyof GroupCall>): Groups {
  const plans: GroupAccess['plans'] = new Map();
  const accessFor = (call: GroupCall | undefined): GroupAccess => ({ ...settings, plans, ...call });
  return {
    start: (hash, prepare, call) => startGroup(accessFor(call), hash, prepare),
    read: (ticket, call) => readPlan(accessFor(call), ticket),
    async join(ticket, outcome, call) {
      await joinGroup(accessFor(call), ticket, outcome);
    },
    close: (group, call) => closeGroup(accessFor(call), group),
  };
}
