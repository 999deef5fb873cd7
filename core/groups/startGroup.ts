import type { TaskMessage } from '../tasks/taskPublisher.ts';
import { sendDeadline } from './closeGroup.ts';
import type { GroupAccess } from './groupAccess.ts';
import { exists, sendThen } from './joinGroup.ts';
import {
  assertNotExpired,
  type BranchMessage,
  chunkCount,
  type GroupPlan,
  groupAddress,
  openPlan,
  type Prepare,
  readChunk,
} from './plan.ts';
import { publishReported } from './reportGroup.ts';

/** Stores the plan of a group, and sends its branches. See {@link Groups.start}. */
export async function startGroup(access: GroupAccess, hash: string, prepare: Prepare): Promise<GroupPlan> {
  const { plan, isNew, chunks } = await openPlan(access, hash, prepare);
  assertNotExpired(access, plan.id);
  await sendDeadline(access, plan);
  if (plan.count === 0) await sendThen(access, plan, 0);
  const last = chunkCount(plan) - 1;
  for (let chunk = 0; chunk <= last && plan.count > 0; chunk += 1) {
    // The acknowledgement of the message marks the last chunk.
    const mark = groupAddress(access, plan.id, `sent-${chunk}`);
    if (!isNew && chunk < last && (await exists(access, mark))) continue;
    const messages = chunks?.[chunk] ?? (await readChunk(access, plan, chunk));
    await publishReported(
      access,
      plan,
      'branch',
      messages.map((message) => ({ index: message.index, message: branchMessage(plan, message) })),
    );
    if (chunk < last) await access.store.create(mark, '{}', access);
  }
  return plan;
}

function branchMessage(
  { id, branchAttributes, messageGroup }: GroupPlan,
  { index, topicArn, message }: BranchMessage,
): TaskMessage {
  return {
    topicArn,
    message,
    attributes: branchAttributes,
    // On a FIFO topic, branches must not wait for one another.
    groupId: topicArn.endsWith('.fifo') ? undefined : messageGroup,
    deduplicationId: `${id}.${index}`,
  };
}
