import fc from 'fast-check';
import type { ChainEvent } from '../../../core/chains/ChainEvent.ts';

/** Few different values, so that events meet. Names of prototypes are among them. */
const groupId = '0123456789abcdefghijk';
const messageId = fc.constantFrom('m1', 'm2', 'm3', '__proto__', 'constructor', `${groupId}.deadline`);
const callback = fc.constantFrom('a#b', 'c', `a#gather#g-${groupId}-0-of-3`, `gather#g-${groupId}-2-of-3`);
const taskName = fc.constantFrom('load', 'analyse', 'toString');
const at = fc.integer({ min: 1000, max: 1010 });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const index = fc.integer({ min: 0, max: 2 });
const group = fc.record({
  id: fc.constantFrom('g', '__proto__', groupId),
  of: fc.constantFrom(3, 4),
  index: optional(index),
});

const common: Record<string, fc.Arbitrary<unknown>> = {
  chainId: fc.constant('c'),
  messageId,
  at,
  taskName: optional(taskName),
};
const delivery: Record<string, fc.Arbitrary<unknown>> = {
  ...common,
  receiver: fc.constantFrom('queue-a', 'queue-b'),
  recordId: fc.constantFrom('r1', 'r2'),
  attempt: fc.integer({ min: 1, max: 3 }),
  part: fc.constantFrom(undefined, 1),
};
const durationMillis = optional(fc.integer({ min: 0, max: 5 }));
const message = fc.record({
  messageId,
  taskName,
  role: fc.constantFrom('callback', 'error', 'branch', 'join'),
  callback: optional(callback),
  delaySeconds: optional(fc.integer({ min: 0, max: 2 })),
  group: optional(group),
});
const error = fc.record({ name: fc.constantFrom('Error', 'TypeError'), message: fc.constantFrom('x', 'y') });
const of = (type: ChainEvent['type'], fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  fc.record({ type: fc.constant(type), ...fields });

/** Any valid event of the chain `c`. */
export const anyEvent: fc.Arbitrary<unknown> = fc.oneof(
  of('sent', { ...common, parentId: optional(messageId), group: optional(group) }),
  of('received', { ...delivery, sentAt: optional(at), callback: optional(callback) }),
  of('started', delivery),
  of('stored', { ...delivery, pointer: fc.constantFrom('b#f/x!1.json', 'b#f/y!1.json'), durationMillis }),
  of('published', { ...delivery, messages: fc.array(message, { maxLength: 3 }), durationMillis }),
  of('succeeded', {
    ...delivery,
    durationMillis,
    endsChain: fc.boolean(),
    next: optional(fc.array(taskName, { maxLength: 2 })),
  }),
  of('failed', { ...delivery, error, durationMillis }),
  of('retried', { ...delivery, delaySeconds: fc.integer({ min: 0, max: 3 }) }),
  of('deadLettered', { ...delivery, queue: optional(fc.constant('https://queue')) }),
  of('joined', { ...delivery, group, isError: fc.boolean() }),
);
