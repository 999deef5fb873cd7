import { pointerTag } from '../storedData/StoredData.ts';
import { formatStoredBody } from '../storedData/storedBody.ts';
import type { GroupAccess } from './groupAccess.ts';
import { type GroupPlan, groupAddress, parseObject, unreadable } from './plan.ts';
import { createdSeconds } from './ticket.ts';

/** The part of an error that a group records. */
export interface BranchError {
  /** The name of the error. */
  readonly name?: unknown;
  /** The message of the error. */
  readonly message: unknown;
  /** The code of the error. */
  readonly code?: unknown;
}

/** A branch that has failed for good, among the results of a group. */
export interface FailedBranch {
  /** The error of the branch. */
  readonly error: BranchError;
}

/** The outcome of a branch, in ajson. */
export type BranchOutcome =
  | { readonly value: string }
  | {
      /** The {@link BranchError}. */
      readonly error: string;
      /** The task that failed. Default: none. */
      readonly task?: string | undefined;
    };

/** A longer result does not go into its slot, but into a separate object. */
const maxSlotLength = 65_536;

/** A slot may hold the message of a failed task. */
const maxSlotBytes = 4_194_304;

/** The name of a slot, which is that of a stored value. */
export function slotName(group: string, index: number): string {
  return `s${index}!${createdSeconds(group)}.json`;
}

/** The pointer to a slot. */
export function slotPointer({ bucket, id }: GroupPlan, index: number): string {
  return `${bucket}#groups/${id}/${slotName(id, index)}`;
}

/** The content of a slot. */
export interface Slot {
  /** The ajson of the error and the task, if the branch has failed. */
  readonly failure: string | undefined;
  /** The bytes of the result. */
  readonly bytes: number;
}

/**
 * Fills the slot of a branch, unless it is filled already: the first outcome is the one that counts.
 *
 * @returns the outcome that counts
 */
export async function fillSlot(
  access: GroupAccess,
  plan: GroupPlan,
  index: number,
  outcome: BranchOutcome,
): Promise<Slot> {
  const address = groupAddress(access, plan.id, slotName(plan.id, index));
  const text = slotText(plan, await withoutLargeValue(access, plan, index, outcome));
  if ((await access.store.create(address, text, access)) !== undefined) return slotOf(plan, text);
  const stored = await access.store.read(address, { maxBytes: maxSlotBytes, signal: access.signal });
  if (!stored) throw unreadable(address);
  parseObject(stored.text, address, (value) => typeof value === 'object' && value !== null);
  const slot = slotOf(plan, stored.text);
  if (slot.failure !== undefined && 'value' in outcome) {
    access.warn(
      `Branch ${index} of the group ${plan.id} has a result, but its group has recorded a failure before, and keeps it.`,
    );
  }
  return slot;
}

/** Stores a large result under a new name, so that a redelivery does not replace the one that counts. */
async function withoutLargeValue(
  access: GroupAccess,
  { id }: GroupPlan,
  index: number,
  outcome: BranchOutcome,
): Promise<BranchOutcome> {
  if (!('value' in outcome) || outcome.value.length <= maxSlotLength) return outcome;
  const text = formatStoredBody(outcome.value).join('');
  const name = `r${index}-${access.newName()}-${bytesOf(text)}!${createdSeconds(id)}.json`;
  const { bucket, key } = groupAddress(access, id, name);
  await access.store.create({ bucket, key }, text, access);
  return { value: pointerTag(`${bucket}#${key}`) };
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

const failureStart = '{"failure":';
const errorStart = '{"data_string":{"error":';
const lateStart = '{"name":"GroupError","message":"The branch had no outcome within ';

/** The error of a branch that had no outcome at the deadline of its group, in ajson. */
export function lateError(deadlineSeconds: number): string {
  return `${lateStart}${deadlineSeconds} seconds.","code":"GROUP_DEADLINE"}`;
}

/** The size of a large result, in its pointer. */
const sizePattern = /#groups\/[0-9A-Za-z]+\/r\d+-[^-!]+-(\d{1,15})!/;

/**
 * The text of a slot. It is a stored value, except a failure in a group that ends with the first one: no `then` reads it.
 */
function slotText({ failures }: GroupPlan, outcome: BranchOutcome): string {
  if ('error' in outcome) {
    const { error, task } = outcome;
    if (failures !== 'fail') return formatStoredBody(`{"error":${error}}`).join('');
    return `${failureStart}{"error":${error}${task === undefined ? '' : `,"task":${task}`}}}`;
  }
  const { value } = outcome;
  return formatStoredBody(failures === 'collect' ? `{"value":${value}}` : value).join('');
}

function slotOf({ failures }: GroupPlan, text: string): Slot {
  const bytes = Number((text.length < 1024 && sizePattern.exec(text)?.[1]) || bytesOf(text));
  if (text.startsWith(failureStart)) return { bytes, failure: text.slice(failureStart.length, -1) };
  // A group that waits records no other error, and a branch may return `{ error }` itself.
  const start = failures === 'collect' ? errorStart : errorStart + lateStart;
  const isError = failures !== 'fail' && text.startsWith(start);
  return { bytes, failure: isError ? text : undefined };
}
