import { mapAtMost } from '../mapAtMost.ts';
import { openSlots } from './climb.ts';
import { GroupError } from './GroupError.ts';
import type { GroupAccess } from './groupAccess.ts';
import { doneMark, exists, joinGroup } from './joinGroup.ts';
import { type GroupPlan, readPlan } from './plan.ts';
import { lateError } from './slot.ts';
import { deadlineCallback } from './ticket.ts';

/** A deadline may come a little early where clocks differ. */
const toleranceMillis = 2000;

/** The longest delay of SQS, in seconds. */
const maxDelaySeconds = 900;

/** Sends the message that closes a group. If it arrives too early, since SQS cannot wait as long, it is sent again. */
export async function sendDeadline(access: GroupAccess, plan: GroupPlan): Promise<void> {
  if (plan.deadlineSeconds === undefined) return;
  const seconds = Math.ceil(Math.max(0, millisLeft(access, plan)) / 1000);
  await access.publishLater(deadlineCallback(plan.id), plan, Math.min(seconds, maxDelaySeconds));
}

function millisLeft({ now }: GroupAccess, { createdAt, deadlineSeconds = 0 }: GroupPlan): number {
  return createdAt + deadlineSeconds * 1000 - now();
}

/** Closes a group at its deadline. See {@link Groups.close}. */
export async function closeGroup(access: GroupAccess, group: string): Promise<void> {
  const plan = await readPlan(access, { group });
  const { deadlineSeconds, failures } = plan;
  if (deadlineSeconds === undefined) {
    throw new GroupError('BAD_TICKET', `The group ${group} has no deadline.`);
  }
  if (await exists(access, doneMark(access, plan))) return;
  if (millisLeft(access, plan) > toleranceMillis) {
    await sendDeadline(access, plan);
    return;
  }
  const open = await openSlots(access, plan);
  const outcome = { error: lateError(deadlineSeconds) };
  const closeSlot = (index: number) => joinGroup(access, { group, index, count: plan.count }, outcome);
  if (failures !== 'fail') {
    await mapAtMost(access.concurrency, open, closeSlot);
    return;
  }
  for (const index of open) {
    const first = await closeSlot(index);
    if (first === undefined) continue;
    // The branch that failed first may have been killed before it could tell.
    if (first !== index) await closeSlot(first);
    return;
  }
}
