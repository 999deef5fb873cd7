import { OptionError } from '../errors.ts';
import type { ObjectAddress } from '../storedData/ObjectStore.ts';
import { GroupError } from './GroupError.ts';
import type { GroupAccess } from './groupAccess.ts';
import { createdSeconds, formatGroupId, hashOf, maxBranches, type Ticket } from './ticket.ts';

/** How a group treats a branch that has failed for good. */
export type Failures = 'wait' | 'collect' | 'fail';

/** How the task `then` gets the results. */
export type ResultForm = 'values' | 'pointers';

/** A task that a group sends, and its topic. */
export interface GroupTask {
  readonly taskName: string;
  readonly topicArn: string;
  /** The rest of the chain. */
  readonly callback?: string | undefined;
}

/** The message of a branch, as it is sent. */
export interface BranchMessage {
  readonly index: number;
  readonly topicArn: string;
  readonly message: string;
}

/** The parts of a plan that do not depend on when it is stored. */
export interface GroupSettings {
  readonly then: GroupTask;
  readonly failures: Failures;
  readonly results: ResultForm;
  /** Results of more bytes are sent as pointers. */
  readonly maxBytes: number;
  readonly onError?: GroupTask | undefined;
  readonly deadlineSeconds?: number | undefined;
  /** The ARN of the queue that gets the deadline message. */
  readonly gatherQueue?: string | undefined;
  /** The message attributes of `then` and of the error task. */
  readonly attributes: Readonly<Record<string, string | number>>;
  /** The message attributes of the branches. */
  readonly branchAttributes: Readonly<Record<string, string | number>>;
  /** The message group of the task that made the group. */
  readonly messageGroup?: string | undefined;
}

/** The facts of a group. Stored once, before the first branch is sent, and never changed. */
export interface GroupPlan extends GroupSettings {
  readonly version: 1;
  readonly id: string;
  readonly bucket: string;
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** The messages of the branches, or the name and number of the objects that hold them. */
  readonly branches: readonly BranchMessage[] | { readonly name: string; readonly chunks: number };
}

/** Makes the settings and the messages of a group, whose id is in the tickets. */
export type Prepare = (group: string) => Promise<{
  readonly settings: GroupSettings;
  readonly messages: readonly BranchMessage[];
}>;

/** Plans up to this many characters hold their branches themselves. */
const inlineLength = 8192;
/** Bounds a chunk, which is also the unit of progress. */
const maxChunkMessages = 1000;
const maxChunkLength = 4_194_304;
/** A message has at most 262,144 bytes, but the limit of a topic can be raised. */
const maxPlanBytes = 4_194_304;
const maxChunkBytes = 67_108_864;

/** The address of an object of a group. */
export function groupAddress({ bucket }: GroupAccess, group: string, name: string): ObjectAddress {
  return { bucket: bucket(), key: `groups/${group}/${name}` };
}

/**
 * Stores a plan, unless the work that makes the group has stored one before.
 *
 * @param hash derived from the work, so that a redelivery finds the plan
 * @param prepare makes the settings and messages for a group. Not called when there is a plan
 * @returns the plan that counts, and whether this call has made it
 */
export async function openPlan(
  access: GroupAccess,
  hash: string,
  prepare: Prepare,
): Promise<{ plan: GroupPlan; isNew: boolean; chunks?: readonly (readonly BranchMessage[])[] }> {
  const existing = await readHead(access, hash);
  if (existing) return { plan: existing, isNew: false };
  const createdAt = access.now();
  const id = formatGroupId(hash, createdAt);
  const { settings, messages } = await prepare(id);
  assertInTime(access, settings);
  const chunks = chunksOf(messages);
  const isInline = chunks.length === 1 && JSON.stringify(messages).length <= inlineLength;
  const name = access.newName();
  if (!isInline) {
    for (const [index, chunk] of chunks.entries()) {
      // Another delivery may write other branches at the same time: each writes its own chunks.
      const address = groupAddress(access, id, chunkName(name, index));
      await access.store.create(address, JSON.stringify(chunk), access);
    }
  }
  const plan: GroupPlan = {
    ...settings,
    version: 1,
    id,
    bucket: access.bucket(),
    count: messages.length,
    createdAt,
    branches: isInline ? messages : { name, chunks: chunks.length },
  };
  const address = groupAddress(access, hash, 'plan');
  if ((await access.store.create(address, JSON.stringify(plan), access)) !== undefined) {
    return { plan, isNew: true, chunks };
  }
  // Another delivery was faster, or the answer to an earlier try of this request was lost.
  const first = await readHead(access, hash);
  if (!first) throw unreadable(address);
  return { plan: first, isNew: false };
}

/** @throws OptionError when a group would be refused as expired before its deadline */
function assertInTime({ expirySeconds }: GroupAccess, { deadlineSeconds = 0 }: GroupSettings): void {
  if (deadlineSeconds < expirySeconds) return;
  throw new OptionError(
    `deadlineSeconds must be less than ${expirySeconds}, the option groupExpiryDays less a day, and not ${deadlineSeconds}.`,
  );
}

/** The branches of a plan in units of progress. A plan without branches has one that is empty. */
function chunksOf(messages: readonly BranchMessage[]): BranchMessage[][] {
  const chunks: BranchMessage[][] = [[]];
  let length = 0;
  for (const message of messages) {
    const last = chunks.at(-1) as BranchMessage[];
    length += message.message.length;
    if (last.length === maxChunkMessages || (length > maxChunkLength && last.length > 0)) {
      chunks.push([message]);
      length = message.message.length;
    } else last.push(message);
  }
  return chunks;
}

function chunkName(name: string, index: number): string {
  return `tasks-${name}-${index}`;
}

/** Reads a chunk of the branches. */
export async function readChunk(
  access: GroupAccess,
  { id, branches }: GroupPlan,
  index: number,
): Promise<readonly BranchMessage[]> {
  if (!('chunks' in branches)) return branches;
  const address = groupAddress(access, id, chunkName(branches.name, index));
  const stored = await access.store.read(address, { maxBytes: maxChunkBytes, signal: access.signal });
  if (!stored) throw unreadable(address);
  return parseObject(stored.text, address, Array.isArray) as BranchMessage[];
}

export function chunkCount({ branches }: GroupPlan): number {
  return 'chunks' in branches ? branches.chunks : 1;
}

async function readHead(access: GroupAccess, hash: string): Promise<GroupPlan | undefined> {
  const address = groupAddress(access, hash, 'plan');
  const stored = await access.store.read(address, { maxBytes: maxPlanBytes, signal: access.signal });
  return stored && (parseObject(stored.text, address, isPlan) as GroupPlan);
}

function isPlan(value: unknown): boolean {
  const { version, id, count } = Object(value) as Partial<GroupPlan>;
  return (
    version === 1 && typeof id === 'string' && Number.isInteger(count) && (count as number) <= maxBranches
  );
}

/**
 * Reads the plan of a group, and checks a ticket against it. Plans are cached, since they do not change.
 *
 * @throws GroupError `GROUP_EXPIRED`, `GROUP_NOT_FOUND` or `BAD_TICKET`
 */
export async function readPlan(
  access: GroupAccess,
  ticket: Pick<Ticket, 'group'> & Partial<Ticket>,
): Promise<GroupPlan> {
  const { group } = ticket;
  assertNotExpired(access, group);
  const plan = access.plans.get(group) ?? (await readHead(access, hashOf(group)));
  if (!plan) {
    throw new GroupError(
      'GROUP_NOT_FOUND',
      `There is no plan of the group ${group} in the bucket ${access.bucket()}: the ticket is forged, the branch has another bucket ` +
        'than the task that made the group, or the role lacks s3:GetObject for groups/*.',
    );
  }
  keepPlan(access, plan);
  const { id, count, bucket } = plan;
  const fits = ticket.index === undefined || (ticket.index < count && ticket.count === count);
  if (id === group && bucket === access.bucket() && fits) return plan;
  throw new GroupError('BAD_TICKET', `The ticket does not match the plan of the group ${group}.`);
}

const maxPlans = 100;

function keepPlan({ plans }: GroupAccess, plan: GroupPlan): void {
  if (plans.size >= maxPlans) plans.delete(plans.keys().next().value as string);
  plans.set(plan.id, plan);
}

/**
 * A group is not continued when its objects may be gone: a missing node would be created again, and `then` sent too early.
 *
 * @throws GroupError `GROUP_EXPIRED`
 */
export function assertNotExpired({ now, expirySeconds }: GroupAccess, group: string): void {
  const age = now() / 1000 - createdSeconds(group);
  if (age < expirySeconds) return;
  throw new GroupError(
    'GROUP_EXPIRED',
    `The group ${group} is ${Math.floor(age / 86_400)} days old, and a lifecycle rule may have removed parts of it: see the option groupExpiryDays.`,
  );
}

/** Parses the text of an object that this library has written. */
export function parseObject(
  text: string,
  { bucket, key }: ObjectAddress,
  test: (value: unknown) => boolean,
): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Reported below.
  }
  if (test(value)) return value;
  throw new GroupError('GROUP_CORRUPT', `s3://${bucket}/${key} is not an object of a group.`);
}

/** The error for an object that a conditional write has found, and a read has not. */
export function unreadable({ bucket, key }: ObjectAddress): GroupError {
  return new GroupError(
    'GROUP_UNREADABLE',
    `s3://${bucket}/${key} exists and cannot be read: the role needs s3:GetObject for groups/*.`,
    { retryable: true },
  );
}
