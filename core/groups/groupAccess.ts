import type { GroupFact } from '../chains/ChainEvent.ts';
import type { ConditionalStore } from '../storedData/ConditionalStore.ts';
import type { TaskMessage } from '../tasks/taskPublisher.ts';
import type { GroupPlan } from './plan.ts';

/** The calls of a group to the outside. */
export interface GroupAccess {
  readonly store: Pick<ConditionalStore, 'read' | 'create'>;
  /** The bucket of all groups. The senders and workers of a group must have the same one. */
  bucket(): string;
  /** Milliseconds since 1970. */
  now(): number;
  /** A name that was never used before. */
  newName(): string;
  /** Sends messages. Returns the id or the error of each one, in their order. */
  publish(messages: readonly TaskMessage[], signal?: AbortSignal): Promise<readonly Published[]>;
  /** Sends the task `gather` with this callback to a queue later. */
  publishLater(callback: string, plan: GroupPlan, seconds: number): Promise<void>;
  warn(message: string): void;
  /** The limit of a topic for one message, in bytes. */
  readonly maxMessageBytes: number;
  /** The age at which a group is refused. */
  readonly expirySeconds: number;
  /** How many slots a deadline fills at the same time. */
  readonly concurrency: number;
  /** The plans that were read, by id. */
  readonly plans: Map<string, GroupPlan>;
  readonly signal?: AbortSignal | undefined;
  /** Gets the facts about the group, for chain events. */
  readonly report?: ((fact: GroupFact) => void) | undefined;
}

/** The outcome of a message: the id that its topic gave it, or its error. */
export type Published = { readonly messageId: string | undefined } | { readonly error: Error };
