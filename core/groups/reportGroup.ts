import type { MessageRole, PublishedMessage } from '../chains/ChainEvent.ts';
import { chainIdName } from '../tasks/chainId.ts';
import type { TaskMessage } from '../tasks/taskPublisher.ts';
import type { GroupAccess } from './groupAccess.ts';
import type { GroupPlan } from './plan.ts';

/** A message of a group. */
export interface GroupMessage {
  readonly message: TaskMessage;
  /** The branch; undefined for the message that ends the group. */
  readonly index?: number | undefined;
}

/**
 * Sends messages of a group, and reports those that were sent, also when another one fails.
 *
 * @throws the first error, unless all were sent
 */
export async function publishReported(
  access: GroupAccess,
  plan: GroupPlan,
  role: MessageRole,
  messages: readonly GroupMessage[],
): Promise<void> {
  const startedAt = access.now();
  const outcomes = await access.publish(
    messages.map(({ message }) => message),
    access.signal,
  );
  if (access.report) {
    const sent = messages.flatMap(({ message, index }, order): PublishedMessage[] => {
      const outcome = outcomes[order];
      if (!outcome || 'error' in outcome || outcome.messageId === undefined) return [];
      const { messageId } = outcome;
      return [{ messageId, role, ...taskIn(message), group: groupFacts(plan, index) }];
    });
    const durationMillis = Math.max(0, access.now() - startedAt);
    if (sent.length > 0)
      access.report({ type: 'published', ...chainOf(plan), messages: sent, durationMillis });
  }
  for (const outcome of outcomes) if ('error' in outcome) throw outcome.error;
}

/** Reports that the slot of a branch is filled. */
export function reportJoined(access: GroupAccess, plan: GroupPlan, index: number, isError: boolean): void {
  const group = groupFacts(plan, index);
  access.report?.({ type: 'joined', ...chainOf(plan), group, ...(isError && { isError }) });
}

/** Reports that a group has ended, which its messages do not show if it has no error task, or if they were sent before. */
export function reportEnded(access: GroupAccess, plan: GroupPlan): void {
  access.report?.({ type: 'joined', ...chainOf(plan), group: groupFacts(plan) });
}

function groupFacts({ id, count }: GroupPlan, index?: number) {
  return { id, of: count, ...(index !== undefined && { index }) };
}

/** The chain of the group: a branch that a Python worker has handed on has lost it. */
function chainOf({ attributes }: GroupPlan): { chainId?: string } {
  const chainId = attributes[chainIdName];
  return chainId === undefined ? {} : { chainId: String(chainId) };
}

function taskIn({ message }: TaskMessage): { taskName: string; callback?: string } {
  const { task_name, callback } = JSON.parse(message) as { task_name: string; callback?: string };
  return { taskName: task_name, ...(callback && { callback }) };
}
