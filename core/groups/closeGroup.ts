import { mapAtMost } from '../mapAtMost.ts';
import { openSlots } from './climb.ts';
import { GroupError } from './GroupError.ts';
import type { GroupAccess } from './groupAccess.ts';
import { doneMark, exists, joinGroup } from './joinGroup.ts';
import { readPlan } from './plan.ts';
import { lateError } from './slot.ts';

/** A deadline may come a little early where clocks differ. */
const toleranceMillis = 2000;

/** Closes a group at its deadline. See {@link Groups.close}. */
export async function closeGroup(access: GroupAccess, group: string): Promise<void> {
  const plan = await readPlan(access, { group });
  const { deadlineSeconds, createdAt, failures } = plan;
  if (deadlineSeconds === undefined) {
    throw new GroupError('BAD_TICKET', `The group ${group} has no deadline.`);
  }
  if (access.now() < createdAt + deadlineSeconds * 1000 - toleranceMillis) {
    throw new GroupError('GROUP_NOT_DUE', `The deadline of the group ${group} is not over yet.`, {
      retryable: true,
    });
  }
  if (await exists(access, doneMark(access, plan))) return;
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
