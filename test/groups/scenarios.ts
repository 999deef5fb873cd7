import type { GroupAccess } from '../../core/groups/groupAccess.ts';
import { openGroups } from '../../core/groups/openGroups.ts';
import type { BranchMessage, GroupPlan, GroupSettings } from '../../core/groups/plan.ts';
import type { BranchOutcome } from '../../core/groups/slot.ts';
import { branchCallback, deadlineIn, formatGroupId, groupHash, ticketIn } from '../../core/groups/ticket.ts';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import type { Scenario } from './explore.ts';

export const settings: GroupSettings = {
  then: { taskName: 'album', topicArn: 'album' },
  failures: 'wait',
  results: 'values',
  maxBytes: 1e9,
  attributes: {},
  branchAttributes: {},
};

/** The messages of a group's branches. */
export function branches(group: string, count: number, name = 'thumb'): BranchMessage[] {
  return Array.from({ length: count }, (_, index) => {
    const callback = branchCallback({ task_name: name }, { group, index, count });
    return { index, topicArn: name, message: JSON.stringify({ task_name: name, callback }) };
  });
}

export function groupsOf(access: GroupAccess): ReturnType<typeof openGroups> {
  return openGroups(access);
}

export const hash: string = groupHash('abcdef0123456789');
export const group: string = formatGroupId(hash, 1_700_000_000_000);

/** A splitter whose deliveries return lists of different lengths, told apart by the message. */
export function splitter(
  access: GroupAccess,
  { message }: TaskMessage,
  over: Partial<GroupSettings> = {},
): Promise<GroupPlan> {
  const [, key = '', count] = message.split(':');
  const prepare = async (id: string) => ({
    settings: { ...settings, ...over },
    messages: branches(id, Number(count), `thumb${count}`),
  });
  return groupsOf(access).start(groupHash(key), prepare);
}

/** Joins a branch with an outcome. */
export function joinBranch(
  access: GroupAccess,
  { message }: TaskMessage,
  outcome: BranchOutcome,
): Promise<void> {
  const ticket = ticketIn(JSON.parse(message).callback);
  if (!ticket) throw new Error(`no ticket in ${message}`);
  return groupsOf(access).join(ticket, outcome);
}

export function closeAtDeadline(access: GroupAccess, { message }: TaskMessage): Promise<void> {
  return groupsOf(access).close(deadlineIn(message) as string);
}

/** The contents of the slots that a message refers to. */
export function slotsIn(
  { message }: TaskMessage,
  objects: ReadonlyMap<string, string>,
): (string | undefined)[] {
  const keys = [...message.matchAll(/"pointer":"b#([^"]+)"/g)].map(([, key]) => key as string);
  return keys.map((key) => objects.get(key));
}

/** The check of a message at the end of a group: every slot is filled. */
export const checkEnd: Scenario['check'] = (message, objects) => {
  const slots = slotsIn(message, objects);
  const isEarly = slots.includes(undefined);
  return { content: JSON.stringify(slots), ...(isEarly && { fault: 'early' }) };
};

/** The group must have ended once, and in one way. */
export const oneEnd: Scenario['atEnd'] = (ends) =>
  ends.length === 1 ? undefined : ends.length === 0 ? 'lost' : `several ends: ${ends.join(' and ')}`;
