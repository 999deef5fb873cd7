import { afterEach, expect, jest, test } from '@jest/globals';
import type { ChainEvent } from '../../../core/chains/ChainEvent.ts';
import { writersOf } from '../../../middlewares/events/eventWriter.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

const event = { type: 'received', chainId: 'c' } as ChainEvent;

/** A writer of a sink, and the warnings. */
function openWriter(sink: Parameters<typeof writersOf>[2]) {
  const warnings = jest.spyOn(console, 'warn').mockImplementation(() => {});
  const [writer] = writersOf('test', 'to', sink);
  if (!writer) throw new Error('there is no writer');
  return { writer, codes: () => warnings.mock.calls.map(([error]) => (error as { code: string }).code) };
}

test('a failure and dropped events are told once each', async () => {
  let fail: (error: Error) => void = () => {};
  const { writer, codes } = openWriter(() => new Promise<void>((_, reject) => (fail = reject)));
  for (let round = 0; round < 2; round += 1) {
    writer.add(event);
    const first = writer.flush(60_000);
    for (let added = 0; added < 10_002; added += 1) writer.add(event);
    fail(new Error('denied'));
    await new Promise(setImmediate);
    for (let writes = 0; writes < 20; writes += 1) {
      fail(new Error('denied'));
      await new Promise(setImmediate);
    }
    await first;
  }
  expect(codes().sort()).toEqual(['EVENTS_DROPPED', 'EVENTS_NOT_WRITTEN']);
});
