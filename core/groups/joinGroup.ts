import type { ObjectAddress } from '../storedData/ObjectStore.ts';
import { pointerTag } from '../storedData/StoredData.ts';
import { formatStoredBody } from '../storedData/storedBody.ts';
import { taskMessage } from '../tasks/task.ts';
import type { TaskMessage } from '../tasks/taskPublisher.ts';
import { climb } from './climb.ts';
import type { GroupAccess } from './groupAccess.ts';
import { type GroupPlan, type GroupTask, groupAddress, parseObject, readPlan, unreadable } from './plan.ts';
import { publishReported, reportEnded, reportJoined } from './reportGroup.ts';
import { type BranchOutcome, fillSlot, slotPointer } from './slot.ts';
import { createdSeconds, groupIdName, type Ticket, ticketIn } from './ticket.ts';

/**
 * Records the outcome of a branch, and sends `then` if it was the last one.
 *
 * @returns the branch whose failure has ended the group, if one has
 */
export async function joinGroup(
  access: GroupAccess,
  ticket: Ticket,
  outcome: BranchOutcome,
): Promise<number | undefined> {
  const plan = await readPlan(access, ticket);
  const slot = await fillSlot(access, plan, ticket.index, outcome);
  reportJoined(access, plan, ticket.index, slot.failure !== undefined);
  // The slot decides, not this outcome: an earlier delivery may have filled it.
  if (plan.failures === 'fail' && slot.failure !== undefined) {
    return tellFailure(access, plan, ticket.index, slot.failure);
  }
  const bytes = await climb(access, plan, ticket.index, slot.bytes);
  if (bytes !== undefined) await sendThen(access, plan, bytes);
  return undefined;
}

/** Sends the task that follows on all branches. */
export async function sendThen(access: GroupAccess, plan: GroupPlan, bytes: number): Promise<void> {
  const kwargs = await resultsFor(access, plan, bytes);
  await publishReported(access, plan, 'join', [{ message: groupMessage(plan, plan.then, kwargs, 'then') }]);
  // Without a deadline, nothing asks for the mark.
  if (plan.deadlineSeconds !== undefined) await access.store.create(doneMark(access, plan), '{}', access);
}

/**
 * Tells the error task of the first failure, and the group around this one.
 *
 * @returns the branch that failed first
 */
async function tellFailure(
  access: GroupAccess,
  plan: GroupPlan,
  index: number,
  failure: string,
): Promise<number> {
  const address = groupAddress(access, plan.id, 'failed');
  if ((await access.store.create(address, String(index), access)) === undefined) {
    const stored = await access.store.read(address, { maxBytes: 100, signal: access.signal });
    if (!stored) throw unreadable(address);
    const first = parseObject(stored.text, address, Number.isInteger) as number;
    if (first !== index) return first;
  }
  if (await exists(access, doneMark(access, plan))) {
    reportEnded(access, plan);
    return index;
  }
  if (plan.onError) {
    const message = groupMessage(plan, plan.onError, failure, 'error');
    await publishReported(access, plan, 'error', [{ message }]);
  } else reportEnded(access, plan);
  const outer = ticketIn(plan.then.callback);
  if (outer && (await readPlan(access, outer)).failures !== 'wait') {
    await joinGroup(access, outer, { error: JSON.stringify(JSON.parse(failure).error) });
  }
  await access.store.create(doneMark(access, plan), '{}', access);
  return index;
}

function groupMessage(
  { id, messageGroup, attributes }: GroupPlan,
  { taskName, topicArn, callback }: GroupTask,
  kwargs: string,
  part: 'then' | 'error',
): TaskMessage {
  return {
    topicArn,
    subject: 'callback',
    message: taskMessage(taskName, kwargs, callback),
    attributes: part === 'then' ? { ...attributes, [groupIdName]: id } : attributes,
    groupId: messageGroup,
    deduplicationId: `${id}.${part}`,
  };
}

/** A slot may refer to a second object. `storedDataHydrate` follows 10,000 pointers by default. */
const maxValues = 4000;

/** The arguments of `then` in ajson, or a pointer to them where they do not fit into a message. */
async function resultsFor(access: GroupAccess, plan: GroupPlan, bytes: number): Promise<string> {
  const asValues = plan.results === 'values' && plan.count <= maxValues && bytes <= plan.maxBytes;
  const write = asValues ? pointerTag : (pointer: string) => JSON.stringify(pointer);
  const results = Array.from({ length: plan.count }, (_, index) => write(slotPointer(plan, index)));
  const kwargs = `{"results":[${results.join()}]}`;
  if (kwargs.length <= access.maxMessageBytes - reservedBytes) return kwargs;
  const name = `results!${createdSeconds(plan.id)}.json`;
  const { bucket, key } = groupAddress(access, plan.id, name);
  await access.store.create({ bucket, key }, formatStoredBody(kwargs).join(''), access);
  return pointerTag(`${bucket}#${key}`);
}

/** For the rest of a message: its attributes, and a chain. */
const reservedBytes = 16_384;

/** Marks that a group has ended, where something asks for it. */
export function doneMark(access: GroupAccess, { id }: GroupPlan): ObjectAddress {
  return groupAddress(access, id, 'done');
}

export async function exists(access: GroupAccess, address: ObjectAddress): Promise<boolean> {
  return (await access.store.read(address, { maxBytes: 100, signal: access.signal })) !== undefined;
}
