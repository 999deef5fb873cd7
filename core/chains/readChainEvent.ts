import { chainIdPattern } from '../tasks/chainId.ts';
import type {
  ChainError,
  ChainEvent,
  DeliveryFields,
  GroupFacts,
  MessageRole,
  PublishedMessage,
} from './ChainEvent.ts';

/** The limits of an event. A longer text is cut; an id or a list that is longer is refused. */
const maxId = 256;
const maxName = 256;
const maxArn = 1024;
const maxText = 4096;
const maxCauses = 8;
const maxMessages = 10_000;
/** The last moment that a Date can hold. */
const lastMillis = 8.64e15;

/**
 * Reads an event that comes from outside, such as a file. The result is a new object with the fields of its type only.
 *
 * @returns undefined if it is not an event
 */
export function readChainEvent(value: unknown): ChainEvent | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const given = value as Fields;
  const { type } = given;
  const chainId = textOf(given.chainId, maxId);
  const messageId = idOf(given.messageId);
  const at = numberOf(given.at);
  if (chainId === undefined || !chainIdPattern.test(chainId)) return undefined;
  if (messageId === undefined || at === undefined) return undefined;
  const common = { chainId, messageId, at, ...field('taskName', textOf(given.taskName, maxName)) };
  if (type === 'sent') {
    return {
      type,
      ...common,
      ...field('parentId', idOf(given.parentId)),
      ...field('callback', textOf(given.callback, maxText)),
      ...field('delaySeconds', numberOf(given.delaySeconds)),
      ...field('group', groupOf(given.group)),
    };
  }
  const receiver = typeof given.receiver === 'string' ? given.receiver.slice(0, maxArn) : undefined;
  const attempt = wholeOf(given.attempt, 1);
  if (receiver === undefined || attempt === undefined) return undefined;
  const part = wholeOf(given.part, 1);
  const recordId = field('recordId', idOf(given.recordId));
  return readDelivery(given, { ...common, receiver, ...recordId, attempt, ...field('part', part) });
}

type Fields = Readonly<Record<string, unknown>>;

function readDelivery(given: Fields, common: DeliveryFields): ChainEvent | undefined {
  const duration = field('durationMillis', numberOf(given.durationMillis));
  switch (given.type) {
    case 'received': {
      const callback = field('callback', textOf(given.callback, maxText));
      return { type: 'received', ...common, ...field('sentAt', numberOf(given.sentAt)), ...callback };
    }
    case 'started':
      return { type: 'started', ...common };
    case 'stored': {
      const pointer = textOf(given.pointer, maxText);
      if (pointer === undefined) return undefined;
      return { type: 'stored', ...common, pointer, ...field('length', numberOf(given.length)), ...duration };
    }
    case 'published': {
      if (!Array.isArray(given.messages) || given.messages.length > maxMessages) return undefined;
      const messages = given.messages.flatMap((message) => messageOf(message) ?? []);
      return { type: 'published', ...common, messages, ...duration };
    }
    case 'succeeded': {
      const next = Array.isArray(given.next) ? given.next.slice(0, maxMessages) : undefined;
      const names = next?.flatMap((name) => textOf(name, maxName) ?? []);
      const endsChain = given.endsChain === true ? { endsChain: true } : {};
      return { type: 'succeeded', ...common, ...duration, ...endsChain, ...field('next', names) };
    }
    case 'failed': {
      const error = errorOf(given.error, maxCauses) ?? { name: 'Error', message: '' };
      return { type: 'failed', ...common, error, ...duration };
    }
    case 'retried':
      return { type: 'retried', ...common, delaySeconds: numberOf(given.delaySeconds) ?? 0 };
    case 'deadLettered':
      return { type: 'deadLettered', ...common, ...field('queue', textOf(given.queue, maxArn)) };
    case 'joined': {
      const group = groupOf(given.group);
      if (group === undefined) return undefined;
      return { type: 'joined', ...common, group, ...(given.isError === true && { isError: true }) };
    }
    default:
      return undefined;
  }
}

const roles: readonly unknown[] = ['callback', 'error', 'branch', 'join'] satisfies MessageRole[];

function messageOf(value: unknown): PublishedMessage | undefined {
  const given = Object(value) as Fields;
  const messageId = idOf(given.messageId);
  const taskName = textOf(given.taskName, maxName);
  if (messageId === undefined || taskName === undefined || !roles.includes(given.role)) return undefined;
  return {
    messageId,
    taskName,
    role: given.role as MessageRole,
    ...field('callback', textOf(given.callback, maxText)),
    ...field('delaySeconds', numberOf(given.delaySeconds)),
    ...field('group', groupOf(given.group)),
  };
}

function groupOf(value: unknown): GroupFacts | undefined {
  const given = Object(value) as Fields;
  const id = idOf(given.id);
  const of = wholeOf(given.of, 0);
  if (id === undefined || of === undefined) return undefined;
  const index = wholeOf(given.index, 0);
  if (index !== undefined && index >= of) return undefined;
  return { id, of, ...field('index', index) };
}

function errorOf(value: unknown, depth: number): ChainError | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const given = value as Fields;
  return {
    name: textOf(given.name, maxName) ?? 'Error',
    message: textOf(given.message, maxText) ?? '',
    ...field('code', textOf(given.code, maxName)),
    ...field('stack', textOf(given.stack, maxText * 2)),
    ...field('cause', depth > 1 ? errorOf(given.cause, depth - 1) : undefined),
  };
}

/** A field that is left out if it has no value. */
function field<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]: V });
}

function textOf(value: unknown, max: number): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, max) : undefined;
}

function idOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= maxId ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= lastMillis ? value + 0 : undefined;
}

function wholeOf(value: unknown, min: number): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= min ? (value as number) : undefined;
}
