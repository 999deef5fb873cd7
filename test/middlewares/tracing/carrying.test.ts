import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from '@jest/globals';
import { captureClient, carrying } from '../../../middlewares/tracing/carrying.ts';
import { enterScope, inScope, leaveScope, type TaskParts } from '../../../middlewares/tracing/scope.ts';
import type { TaskTrace, Tracing } from '../../../middlewares/tracing/tracing.ts';

const trace: TaskTrace = { run: (work) => work(), outgoingAttributes: {}, end() {} };
const topic = 'arn:aws:sns:us-east-1:1:next';

/** A tracing that adds an attribute to each message, and records what it is called with. */
function recordedTracing(traceparent: string) {
  const sent: unknown[] = [];
  const captured: object[] = [];
  const tracing: Tracing = {
    start: () => trace,
    span: (_, work) => work(),
    send(topicArn, work, task) {
      sent.push([topicArn, task]);
      return work({ traceparent });
    },
    capture: (client) => void captured.push(client),
  };
  return { tracing, sent, captured };
}

/** Runs `work` in a task of an invocation. */
function inTask<T>(tracing: Tracing | undefined, task: TaskParts | undefined, work: () => T): T {
  return new AsyncLocalStorage().run(undefined, () => {
    const invocation = { tracing, ended: false };
    const root = { invocation, task: undefined, isRoot: true };
    enterScope(root);
    try {
      return inScope({ invocation, task, isRoot: false }, work);
    } finally {
      leaveScope(root);
    }
  });
}

const attributesOf = (tracing?: Tracing) => carrying(topic, tracing, (attributes) => attributes);
const task = { outgoingAttributes: { chain_id: 'c', traceparent: 'of the task' }, trace };

describe('a message', () => {
  test('has no attributes outside of a task', () => {
    expect(attributesOf()).toEqual({});
  });

  test('has those of the given tracing outside of a task', () => {
    const { tracing, sent } = recordedTracing('sender');
    expect(attributesOf(tracing)).toEqual({ traceparent: 'sender' });
    expect(sent).toEqual([[topic, undefined]]);
  });

  test('has those of its task in an invocation without tracing', () => {
    expect(inTask(undefined, task, attributesOf)).toEqual(task.outgoingAttributes);
  });

  test("has its task's, and those of the invocation's tracing instead of equal ones", () => {
    const { tracing, sent } = recordedTracing('invocation');
    const expected = { chain_id: 'c', traceparent: 'invocation' };
    expect(inTask(tracing, task, attributesOf)).toEqual(expected);
    expect(inTask(tracing, task, () => attributesOf(tracing))).toEqual(expected);
    expect(sent).toEqual([
      [topic, trace],
      [topic, trace],
    ]);
  });

  test("is not sent in the task's trace by a sender with another tracing", () => {
    const own = recordedTracing('invocation');
    const { tracing, sent } = recordedTracing('sender');
    expect(inTask(own.tracing, task, () => attributesOf(tracing))).toEqual({
      chain_id: 'c',
      traceparent: 'sender',
    });
    expect(sent).toEqual([[topic, undefined]]);
    expect(own.sent).toEqual([]);
  });

  test('is sent by the tracing of the invocation outside of its tasks', () => {
    const { tracing, sent } = recordedTracing('invocation');
    expect(inTask(tracing, undefined, attributesOf)).toEqual({ traceparent: 'invocation' });
    expect(sent).toEqual([[topic, undefined]]);
  });
});

test('a client is captured by the tracing of the invocation, if it captures clients', () => {
  const client = {};
  const { tracing, captured } = recordedTracing('invocation');
  expect(captureClient(client)).toBe(client);
  expect(captured).toEqual([]);
  expect(inTask(tracing, task, () => captureClient(client))).toBe(client);
  expect(captured).toEqual([client]);
  const { capture, ...without } = tracing;
  expect(inTask(without, task, () => captureClient(client))).toBe(client);
  expect(inTask(undefined, task, () => captureClient(client))).toBe(client);
});
