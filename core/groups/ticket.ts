import { CallbackError, isTopicName, nextTask } from '../tasks/nextTask.ts';
import type { Task } from '../tasks/task.ts';

/** The name of the task at which branches join, and of its topic and queue. */
export const gatherName = 'gather';

/** The maximum number of branches of a group. */
export const maxBranches = 100_000;

/** The place of a branch in its group. The callback of a branch ends in `gather#g-<group>-<index>-of-<count>`. */
export interface Ticket {
  /** The id of the group: 15 characters of a hash, which spread the keys in S3, and 6 with the time. */
  readonly group: string;
  readonly index: number;
  readonly count: number;
}

const hashLength = 15;
const timeLength = 6;
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const idPattern = `[0-9A-Za-z]{${hashLength + timeLength}}`;
const ticketPattern = /* @__PURE__ */ new RegExp(`^g-(${idPattern})-(0|[1-9]\\d{0,4})-of-([1-9]\\d{0,5})$`);
const deadlinePattern = /* @__PURE__ */ new RegExp(`^g-(${idPattern})-deadline$`);

/**
 * The first part of a group's id.
 *
 * @param hex a SHA-256 in hexadecimal digits
 */
export function groupHash(hex: string): string {
  return inBase62(BigInt(`0x${hex}`), hashLength);
}

/**
 * The id of a group.
 *
 * @param createdAt milliseconds since 1970
 */
export function formatGroupId(hash: string, createdAt: number): string {
  return hash + inBase62(BigInt(Math.floor(createdAt / 1000)), timeLength);
}

function inBase62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest /= 62n) text = digits[Number(rest % 62n)] + text;
  return text;
}

/** The attribute of the task `then`, with the id of its group. */
export const groupIdName = 'group_id';

const wholeId = /* @__PURE__ */ new RegExp(`^${idPattern}$`);

/** The group that a message joins; undefined for other messages. */
export function groupOf(attributes: Readonly<Record<string, string>>): string | undefined {
  const id = attributes[groupIdName];
  return id !== undefined && wholeId.test(id) ? id : undefined;
}

/** The part of a group's id that does not depend on the time. */
export function hashOf(group: string): string {
  return group.slice(0, hashLength);
}

/** When a group was created, in seconds since 1970. */
export function createdSeconds(group: string): number {
  return [...group.slice(hashLength)].reduce((sum, digit) => sum * 62 + digits.indexOf(digit), 0);
}

/** The link of a chain that holds a ticket. */
export function formatTicket({ group, index, count }: Ticket): string {
  return `g-${group}-${index}-of-${count}`;
}

/** The ticket in a link of a chain; undefined if the link is not a ticket. */
export function parseTicket(link: string): Ticket | undefined {
  const [, group, index, count] = ticketPattern.exec(link) ?? [];
  if (group === undefined) return undefined;
  const ticket = { group, index: Number(index), count: Number(count) };
  return ticket.index < ticket.count && ticket.count <= maxBranches ? ticket : undefined;
}

/** The ticket at the end of a callback; undefined if the task is not part of a branch. */
export function ticketIn(callback: unknown): Ticket | undefined {
  return typeof callback === 'string' ? parseTicket(linkAfterGather(callback) ?? '') : undefined;
}

/** The callback of the message that closes a group at its deadline. */
export function deadlineCallback(group: string): string {
  return `${gatherName}#g-${group}-deadline`;
}

/** The group that a deadline message closes. */
export function deadlineIn(callback: unknown): string | undefined {
  return typeof callback === 'string'
    ? deadlinePattern.exec(linkAfterGather(callback) ?? '')?.[1]
    : undefined;
}

/** The id of the message that closes a group at its deadline. */
export function deadlineMessageId(group: string): string {
  return `${group}.deadline`;
}

const deadlineIdPattern = /* @__PURE__ */ new RegExp(`^(${idPattern})\\.deadline$`);

/** The group that a message closes at its deadline, from the id of the message. */
export function deadlineGroup(messageId: string): string | undefined {
  return deadlineIdPattern.exec(messageId)?.[1];
}

const beforeTicket = /* @__PURE__ */ new RegExp(`(?:^|#)${gatherName}#([^#]{1,46})$`);

function linkAfterGather(callback: string): string | undefined {
  return beforeTicket.exec(callback.slice(-60))?.[1];
}

/**
 * The callback of a branch: its own chain, and then its group.
 *
 * @throws CallbackError when the chain of the branch is invalid or has a link of a group
 */
export function branchCallback({ task_name, callback }: Task<unknown>, ticket: Ticket): string {
  const chain = [...(callback ? [callback] : []), gatherName, formatTicket(ticket)].join('#');
  nextTask(chain, task_name);
  return chain;
}

/**
 * Refuses a name in a branch that would be taken for a part of the group.
 *
 * @throws CallbackError
 */
export function assertBranch({ task_name, callback }: Task<unknown>): void {
  assertTaskName(task_name);
  nextTask(callback, task_name);
  for (const link of callback?.split('#') ?? []) assertTaskName(link);
}

/**
 * Refuses a task name that is not valid, or that groups use themselves.
 *
 * @throws CallbackError
 */
export function assertTaskName(name: string): void {
  if (!isTopicName(name)) throw new CallbackError(String(name), 'it is not the name of a task');
  if (name === gatherName || /^g-.*-(of-\d+|deadline)$/.test(name)) {
    throw new CallbackError(name, `${gatherName} and names like those of tickets are used by groups`);
  }
}

/**
 * The part of a callback that is left after the current task: a group takes it over, since `then` need not be in the chain.
 *
 * @throws CallbackError
 */
export function remainingChain(callback: string | null | undefined, current: string): string | undefined {
  const next = nextTask(callback, current);
  if (!next) return undefined;
  if (next.callback === undefined) return next.task_name;
  const links = next.callback.split('#');
  return links.slice(links.indexOf(next.task_name)).join('#');
}
