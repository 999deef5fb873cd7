import { expect, test } from '@jest/globals';
import type { ChainEvent } from '../../../core/index.ts';
import { openRunLog } from '../../../local/dev/runLog.ts';

const eventOf = (chainId: string, over: object = {}): ChainEvent => ({
  type: 'sent',
  chainId,
  messageId: `m-${chainId}`,
  taskName: 'load',
  at: 1,
  ...over,
});
const logOf = (chainId: string, message: string) => ({
  kind: 'log' as const,
  chainId,
  messageId: `m-${chainId}`,
  at: 1,
  level: 'INFO',
  message,
  fields: {},
});
const messageOf = (chainId: string, text: string) => ({
  kind: 'message' as const,
  chainId,
  messageId: `m-${chainId}`,
  text,
  length: text.length,
  attributes: {},
});

test('2,000 chains stay below the limit, and those that were used last are kept', () => {
  const maxCharacters = 400_000;
  const log = openRunLog({ maxCharacters });
  log.add({ kind: 'run', version: 1, startedAt: 1 });
  log.add({ kind: 'tasks', tasks: [] });
  let largest = 0;
  for (let number = 0; number < 2000; number++) {
    const chainId = `c-${number}`;
    log.add({ kind: 'event', event: eventOf(chainId) });
    log.add(messageOf(chainId, 'x'.repeat(500)));
    log.add(logOf(chainId, 'y'.repeat(500)));
    log.add({ kind: 'object', pointer: `b#f/${number}!1.json`, text: 'z'.repeat(500), length: 500 });
    // The first chain goes on all the time.
    log.add({ kind: 'event', event: eventOf('c-0', { at: number }) });
    largest = Math.max(largest, log.size);
  }
  expect(largest).toBeLessThanOrEqual(maxCharacters + 2000);
  const ids = log.chainIds();
  expect(ids.length).toBeGreaterThan(50);
  expect(ids.length).toBeLessThan(400);
  // It was never dropped in between.
  expect(log.events('c-0')).toHaveLength(2001);
  expect(ids).toContain('c-1999');
  expect(ids).not.toContain('c-1');
  expect(log.detail('m-c-1')).toEqual({ logs: [] });
  expect(log.detail('m-c-1999')).toMatchObject({ message: { length: 500 }, logs: [{ level: 'INFO' }] });
  // The rest is in order, after the run and the tasks.
  const positions = log.after(0).map(({ position = 0 }) => position);
  expect(positions.slice(0, 2)).toEqual([1, 2]);
  expect(positions).toEqual([...positions].sort((a, b) => a - b));
});

test('a single endless chain is bounded too', () => {
  const log = openRunLog({ maxCharacters: 100_000 });
  for (let at = 0; at < 5000; at++) log.add({ kind: 'event', event: eventOf('c', { at }) });
  expect(log.size).toBeLessThanOrEqual(100_000);
});

test('keeps the message that came first, and tells listeners of events only', () => {
  const log = openRunLog({ maxCharacters: 100_000 });
  const items: unknown[] = [];
  const unsubscribe = log.subscribe(({ text, position }) => items.push([JSON.parse(text).kind, position]));
  log.add({ kind: 'event', event: eventOf('c') });
  log.add(messageOf('c', 'first'));
  log.add(messageOf('c', 'second'));
  log.add(logOf('c', 'a line'));
  log.announce({ kind: 'depths', at: 1, depths: {} });
  log.add({ kind: 'reload', at: 1, error: 'no' });
  unsubscribe();
  log.add({ kind: 'reload', at: 2 });
  expect(items).toEqual([
    ['event', 1],
    ['depths', undefined],
    ['reload', 2],
  ]);
  expect(log.detail('m-c').message?.text).toBe('first');
  expect(log.after(1).map(({ position }) => position)).toEqual([2, 3]);
});
