import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@aws-lambda-powertools/logger';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import {
  type ChainEvent,
  callbackPublisher,
  chainEvents,
  chainState,
  defineTasks,
  failurePolicy,
  lambdaLogged,
  memorySink,
  NonRetryableError,
  queued,
  routeTasks,
  sendTask,
  sqsSnsUnwrap,
  storedDataHydrate,
} from 'algernon-middy';
import { z } from 'zod';
import type { DeadLetter, DevError, StreamEntry } from '../../../local/dev/protocol.ts';
import { readRunFile } from '../../../local/dev/readRunFile.ts';
import { openRunLog } from '../../../local/dev/runLog.ts';
import { type ServedRun, serveRun } from '../../../local/dev/serveRun.ts';
import {
  type DevServer,
  type LambdaHandler,
  type LocalAws,
  startDevServer,
  startLocalAws,
  startWorker,
  type Worker,
} from '../../../local/index.ts';
import { capturedLines } from '../../support/capturedLines.ts';

const tasks = defineTasks({
  double: { kwargs: z.object({ n: z.number() }) },
  check: {},
  note: {},
  later: {},
});

let folder: string;
let file: string;
let aws: LocalAws;
let worker: Worker<keyof typeof tasks>;
let dev: DevServer;
const own = memorySink();
const logger = new Logger({ serviceName: 'test' });
const logged = capturedLines(logger);
const written: string[] = [];

const functions = {
  double: async ({ n }: { n: number }) => {
    console.log('doubling', n);
    await sendTask(
      { task_name: 'note', task_kwargs: { n } },
      { sns: aws.sns, s3: aws.s3, bucket: aws.bucket, topics: worker.topics },
    );
    return { n: 2 * n, tags: new Set(['big']) };
  },
  check: ({ n }: { n: number }) => {
    if (n === 26) throw new NonRetryableError('unlucky', { cause: new Error('13') });
  },
  note: () => {},
  later: () => {
    throw new Error('not yet');
  },
};

/** A stack that has its own chainEvents, as in production. */
function createHandler(): LambdaHandler {
  const { s3, sns, sqs, bucket } = aws;
  return middy(queued(routeTasks(functions as never)))
    .use(lambdaLogged({ logger }))
    .use(chainEvents({ to: own }))
    .use(sqsPartialBatchFailure({ logger: () => {} }))
    .use(sqsSnsUnwrap())
    .use(failurePolicy({ sqs, backoff: false }))
    .use(storedDataHydrate({ s3, bucket }))
    .use(callbackPublisher({ s3, sns, bucket })) as unknown as LambdaHandler;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'algernon-dev-'));
  file = join(folder, 'run.jsonl');
  aws = await startLocalAws();
  worker = await startWorker({
    aws,
    handler: createHandler(),
    tasks: ['double', 'check', 'note', 'later'],
    maxReceiveCount: 2,
    visibilityTimeoutSeconds: 10,
    retryDelaySeconds: 1,
    onInvocation: () => {},
  });
  dev = await startDevServer({ aws, worker, name: 'a test', file });
});
afterAll(async () => {
  await aws.stop();
  rmSync(folder, { recursive: true, force: true });
});

const tokenOf = (url: string) => new URL(url).searchParams.get('token') ?? '';

/** The fields of all answers. */
interface Answer extends DevError {
  chainId: string;
  messageId: string;
  letters: DeadLetter[];
  text: string;
}

async function call(path: string, body?: unknown, url = dev.url): Promise<{ status: number; body: Answer }> {
  const response = await fetch(new URL(path, url), {
    headers: { authorization: `Bearer ${tokenOf(url)}`, 'content-type': 'application/json' },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Answer };
}

/** A request with headers that fetch would not send. */
function send(path: string, how: { method?: string; headers?: Record<string, string>; body?: string } = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; text: string }>();
  const { port } = new URL(dev.url);
  const { method = 'GET', headers = {} } = how;
  const sent = request({ host: '127.0.0.1', port, path, method, headers }, async (response) => {
    let text = '';
    for await (const piece of response) text += piece;
    resolve({ status: response.statusCode, text });
  });
  sent.on('error', reject);
  sent.end(how.body);
  return promise;
}

/** Reads a stream until an entry passes a test. */
async function stream(
  isLast: (entry: StreamEntry) => boolean,
  { url = dev.url, after }: { url?: string; after?: string } = {},
): Promise<{ entries: StreamEntry[]; id: string }> {
  const stop = new AbortController();
  const response = await fetch(new URL(`/api/stream?token=${tokenOf(url)}`, url), {
    signal: stop.signal,
    headers: after === undefined ? {} : { 'last-event-id': after },
  });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const entries: StreamEntry[] = [];
  let id = '';
  let rest = '';
  try {
    for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
      const parts = (rest + Buffer.from(bytes).toString('utf8')).split('\n\n');
      rest = parts.pop() ?? '';
      for (const part of parts) {
        id = /^id: (.*)$/m.exec(part)?.[1] ?? id;
        const data = /^data: (.*)$/m.exec(part)?.[1];
        if (data) entries.push(...(JSON.parse(data) as StreamEntry[]));
      }
      if (entries.some(isLast)) return { entries, id };
    }
  } finally {
    stop.abort();
  }
  throw new Error('The stream has ended.');
}

const eventsOf = (entries: readonly StreamEntry[]): ChainEvent[] =>
  entries.flatMap((entry) => (entry.kind === 'event' ? [entry.event] : []));
const isEnd =
  (taskName: string, type: ChainEvent['type'] = 'succeeded') =>
  (entry: StreamEntry) =>
    entry.kind === 'event' && entry.event.type === type && entry.event.taskName === taskName;

test('shows a chain as it happens: tree, message, logs, result', async () => {
  const live = stream(isEnd('check'));
  const sent = await call('/api/send', {
    text: '{"task_name":"double","task_kwargs":{"n":21},"callback":"double#check"}',
  });
  expect(sent).toEqual({ status: 200, body: { chainId: expect.any(String), messageId: expect.any(String) } });
  const { chainId, messageId } = sent.body;
  const { entries } = await live;
  expect(entries[0]).toMatchObject({ kind: 'run', version: 1, worker: 'a test', endpoint: aws.endpoint });
  expect(entries[1]).toMatchObject({
    kind: 'tasks',
    tasks: [
      {
        name: 'double',
        topicArn: worker.topics.double,
        queueUrl: worker.queues.double.url,
        deadLetterUrl: worker.queues.double.deadLetter.url,
        schema: { type: 'object', properties: { n: { type: 'number' } } },
      },
      { name: 'check' },
      { name: 'note' },
      { name: 'later' },
    ],
  });
  await worker.idle();
  const { entries: all } = await stream(isEnd('note'));
  const state = chainState(eventsOf(all).filter((event) => event.chainId === chainId));
  expect(state?.status).toBe('succeeded');
  expect(state?.tasks.map(({ taskName, depth, role }) => [taskName, depth, role])).toEqual([
    ['double', 0, undefined],
    ['note', 1, undefined],
    ['check', 1, 'callback'],
  ]);
  // The stack's own sink gets the same chain, also the task that a task has sent.
  expect(chainState(own.events(chainId))?.tasks.map(({ taskName }) => taskName)).toEqual([
    'double',
    'note',
    'check',
  ]);
  expect((await call(`/api/tasks/${messageId}`)).body).toMatchObject({
    message: {
      text: '{"task_name":"double","task_kwargs":{"n":21},"callback":"double#check"}',
      length: 71,
      attributes: { chain_id: chainId },
    },
    logs: [{ level: 'INFO', message: 'doubling 21', fields: { task_name: 'double' } }],
  });
  // The logger still writes where it wrote before.
  expect(logged.lines()).toContainEqual(expect.objectContaining({ message: 'doubling 21' }));
  const pointer = state?.tasks[0]?.pointer ?? '';
  expect((await call(`/api/objects?pointer=${encodeURIComponent(pointer)}`)).body).toEqual({
    kind: 'object',
    pointer,
    text: '{"n":42,"tags":{"_alg_class":"set","value":["big"]}}',
    length: 52,
  });
});

test('a stream goes on after the last event that a page has got', async () => {
  const { id, entries } = await stream(isEnd('check'));
  expect(entries.length).toBeGreaterThan(5);
  const resumed = stream(isEnd('note'), { after: id });
  await call('/api/send', { text: '{"task_name":"note"}' });
  const later = eventsOf((await resumed).entries);
  expect(new Set(later.map(({ chainId }) => chainId)).size).toBe(1);
  expect(later[0]).toMatchObject({ type: 'sent', taskName: 'note' });
  // An id of an earlier run is unknown: the page gets everything.
  const { entries: all } = await stream(isEnd('check'), { after: '999999' });
  expect(all[0]?.kind).toBe('run');
});

test('dead letters are listed, redriven, and edited', async () => {
  const texts = [1, 2, 3].map(() => '{"task_name":"check","task_kwargs":{"n":26}}');
  for (const text of texts) await call('/api/send', { text });
  await worker.idle({ timeoutSeconds: 15 });
  const { letters } = (await call('/api/dead-letters')).body;
  expect(letters).toHaveLength(3);
  const [letter] = letters as [DeadLetter];
  expect(letter).toMatchObject({
    taskName: 'check',
    text: texts[0],
    reason: expect.stringContaining('unlucky'),
    messageId: expect.any(String),
    sentAt: expect.any(Number),
  });
  expect(letter.id).not.toBe(letter.messageId);

  const repaired = '{"task_name":"check","task_kwargs":{"n":12345678901234567890}}';
  const bad = { taskName: 'check', ids: [letter.id], text: '{"task_name":' };
  expect(await call('/api/redrive', bad)).toMatchObject({ status: 400 });
  expect(await call('/api/redrive', { taskName: 'check', ids: ['nobody'] })).toMatchObject({
    status: 404,
    body: { error: { code: 'MESSAGE_NOT_FOUND', message: expect.stringContaining('nobody') } },
  });
  expect(await call('/api/redrive', { ...bad, text: repaired })).toEqual({
    status: 200,
    body: { sent: 1, messages: [{ messageId: letter.id, outcome: 'sent' }] },
  });
  await worker.idle({ timeoutSeconds: 15 });
  expect((await call('/api/dead-letters')).body.letters).toHaveLength(2);
  const { entries } = await stream(isEnd('check'));
  const state = chainState(eventsOf(entries).filter(({ chainId }) => chainId === letter.chainId));
  expect(state?.tasks).toMatchObject([{ status: 'succeeded', messageId: letter.messageId }]);
  // It was dead-lettered at once, so it never had a time to come back.
  const ofLetter = eventsOf(entries).filter(({ chainId }) => chainId === letter.chainId);
  expect(ofLetter.map(({ type }) => type)).toEqual([
    'sent',
    ...['received', 'started', 'failed', 'deadLettered'],
    ...['received', 'started', 'succeeded'],
  ]);

  // A message that is gone does not stop the others.
  const rest = letters.slice(1).map(({ id }: DeadLetter) => id);
  const gone = expect.objectContaining({ messageId: 'gone', code: 'MESSAGE_NOT_FOUND' });
  expect(await call('/api/redrive', { taskName: 'check', ids: ['gone', ...rest] })).toMatchObject({
    status: 200,
    body: { sent: 2, messages: expect.arrayContaining([gone]) },
  });
});

test('a dead letter that names no task of the worker is edited and redriven', async () => {
  const { url } = worker.queues.check.deadLetter;
  await aws.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: '{"task_name":"chek"}' }));
  const { letters } = (await call('/api/dead-letters')).body as { letters: DeadLetter[] };
  const letter = letters.find(({ text }) => text.includes('chek'));
  expect(letter?.taskName).toBe('check');
  const text = '{"task_name":"check","task_kwargs":{"n":1}}';
  const request = { taskName: letter?.taskName, ids: [letter?.id], text };
  expect(await call('/api/redrive', request)).toMatchObject({ status: 200, body: { sent: 1 } });
});

test('a failure without a stage that retries it has a time when it comes back', async () => {
  const { body } = await call('/api/send', { text: '{"task_name":"later"}' });
  const { entries } = await stream((entry) => isEnd('later', 'retried')(entry));
  const retried = eventsOf(entries).find(
    ({ type, chainId }) => type === 'retried' && chainId === body.chainId,
  );
  expect(retried).toMatchObject({ attempt: 1, delaySeconds: expect.any(Number) });
  written.push(body.chainId);
});

test('depths are sent when they change, and only while a page is open', async () => {
  const { entries } = await stream(({ kind }) => kind === 'depths');
  const depths = entries.find(({ kind }) => kind === 'depths');
  expect(depths).toMatchObject({
    depths: { double: { waiting: 0, inFlight: 0, delayed: 0, deadLetters: 0 }, later: {} },
  });
});

describe('a request is refused', () => {
  const token = () => ({ authorization: `Bearer ${tokenOf(dev.url)}` });
  const host = () => new URL(dev.url).host;
  const json = { 'content-type': 'application/json' };

  test.each<[string, () => Parameters<typeof send>, number, string]>([
    ['with a foreign Host', () => ['/', { headers: { host: 'evil.example' } }], 421, 'WRONG_HOST'],
    ['with the Host of another port', () => ['/', { headers: { host: '127.0.0.1:1' } }], 421, 'WRONG_HOST'],
    [
      'with a foreign Origin, though it has the token',
      () => ['/api/dead-letters', { headers: { ...token(), host: host(), origin: 'http://evil.example' } }],
      403,
      'WRONG_ORIGIN',
    ],
    [
      'with the Origin of a sandboxed frame',
      () => ['/api/dead-letters', { headers: { ...token(), origin: 'null' } }],
      403,
      'WRONG_ORIGIN',
    ],
    ['without the token', () => ['/api/dead-letters'], 401, 'WRONG_TOKEN'],
    [
      'with another token',
      () => ['/api/tasks/a', { headers: { authorization: 'Bearer a' } }],
      401,
      'WRONG_TOKEN',
    ],
    ['with the token in the query', () => [`/api/tasks/a?token=${tokenOf(dev.url)}`], 401, 'WRONG_TOKEN'],
    ['for the stream without the token', () => ['/api/stream'], 401, 'WRONG_TOKEN'],
    ['that leaves the folder', () => ['/../../../package.json'], 404, 'NOT_FOUND'],
    ['that leaves the folder, encoded', () => ['/%2e%2e/%2e%2e/package.json'], 404, 'NOT_FOUND'],
    ['for a property of all objects', () => ['/constructor'], 404, 'NOT_FOUND'],
    ['for a path that is not encoded well', () => ['/api/tasks/%', { headers: token() }], 404, 'NOT_FOUND'],
    ['that posts a page', () => ['/', { method: 'POST' }], 405, 'WRONG_METHOD'],
    ['that sends by GET', () => ['/api/send', { headers: token() }], 405, 'WRONG_METHOD'],
    [
      'with the body of a form',
      () => [
        '/api/send',
        { method: 'POST', headers: { ...token(), 'content-type': 'text/plain' }, body: '{}' },
      ],
      415,
      'NOT_JSON',
    ],
    [
      'with a huge body',
      () => ['/api/send', { method: 'POST', headers: { ...token(), ...json }, body: 'x'.repeat(5_000_000) }],
      413,
      'BODY_TOO_LARGE',
    ],
    [
      'with a body that is not an object',
      () => ['/api/redrive', { method: 'POST', headers: { ...token(), ...json }, body: '[' }],
      400,
      'BAD_REQUEST',
    ],
  ])('%s', async (_, parts, status, code) => {
    const refused = await send(...parts());
    expect([refused.status, JSON.parse(refused.text).error.code]).toEqual([status, code]);
  });

  test.each([
    ['/api/send', {}, 400, 'BAD_REQUEST'],
    ['/api/send', { text: '{"task_name":' }, 400, 'AJSON_SYNTAX'],
    ['/api/send', { text: '{"task":1}' }, 400, 'NOT_A_TASK'],
    ['/api/send', { text: '{"task_name":"nobody"}' }, 404, 'TASK_NOT_FOUND'],
    ['/api/send', { text: '{"task_name":"note"}', delaySeconds: 901 }, 400, 'BAD_REQUEST'],
    ['/api/redrive', { taskName: 'check', text: '{}' }, 400, 'BAD_REQUEST'],
    ['/api/redrive', { taskName: 'check', ids: [1] }, 400, 'BAD_REQUEST'],
    ['/api/redrive', { taskName: 'nobody' }, 404, 'TASK_NOT_FOUND'],
    ['/api/objects?pointer=a', undefined, 400, 'BAD_POINTER'],
    ['/api/objects?pointer=algernon-local%23f/a!1.json', undefined, 404, 'STORED_DATA_MISSING'],
    ['/api/nothing', undefined, 404, 'NOT_FOUND'],
  ])('at %s with %j', async (path, body, status, code) => {
    const refused = await call(path, body);
    expect([refused.status, refused.body.error.code]).toEqual([status, code]);
  });

  test('and every answer has its headers', async () => {
    const { headers } = await fetch(new URL('/api/nothing', dev.url));
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

test('the options are checked', async () => {
  await expect(startDevServer({ aws } as never)).rejects.toThrow('worker must be');
  await expect(startDevServer({ aws, worker: {} as never })).rejects.toThrow('startWorker()');
  await expect(startDevServer({ worker } as never)).rejects.toThrow('startLocalAws()');
  await expect(startDevServer({ aws, worker, prot: 1 } as never)).rejects.toThrow(
    'there is no option "prot"',
  );
  const { port } = new URL(dev.url);
  await expect(startDevServer({ aws, worker, port: Number(port) })).rejects.toThrow('EADDRINUSE');
});

test('the file of the run shows the same, and nothing can be changed', async () => {
  // No worker here gets this result.
  const { body } = await call('/api/send', {
    text: '{"task_name":"double","task_kwargs":{"n":50},"callback":"double#nowhere"}',
  });
  const isStored = (entry: StreamEntry) =>
    entry.kind === 'event' && entry.event.type === 'stored' && entry.event.chainId === body.chainId;
  await stream(isStored);
  await dev.stop();
  await expect(fetch(dev.url)).rejects.toThrow();
  const log = openRunLog({ maxCharacters: 10_000_000 });
  expect(await readRunFile(file, log.add)).toMatchObject({ skipped: 0 });
  const shown: ServedRun = await serveRun({ log, port: 0 });
  const { url } = shown;
  const { entries } = await stream(isEnd('check'), { url });
  const [run] = entries;
  expect(run).toEqual({ kind: 'run', version: 1, startedAt: expect.any(Number), worker: 'a test' });
  const events = eventsOf(entries);
  const results = events.flatMap((event) => (event.type === 'stored' ? [event] : []));
  const [stored] = results;
  const unread = results.find(({ chainId }) => chainId === body.chainId);
  const double = events.find(({ taskName }) => taskName === 'double');
  expect(events.some(({ chainId }) => chainId === written[0])).toBe(true);
  expect(log.object(unread?.pointer ?? '')?.text).toContain('"n":100');
  const pointer = encodeURIComponent(stored?.pointer ?? '');
  expect((await call(`/api/objects?pointer=${pointer}`, undefined, url)).body.text).toContain('"n":42');
  expect((await call(`/api/tasks/${double?.messageId}`, undefined, url)).body).toMatchObject({
    message: { text: expect.stringContaining('"double"') },
    logs: [{ message: 'doubling 21' }],
  });
  for (const [path, body] of [
    ['/api/dead-letters', undefined],
    ['/api/send', { text: '{"task_name":"note"}' }],
    ['/api/redrive', { taskName: 'check' }],
  ] as const) {
    const refused = await call(path, body, url);
    expect([refused.status, refused.body.error.code]).toEqual([409, 'READ_ONLY']);
  }
  expect(await call('/api/objects?pointer=a%23b/c!1.json', undefined, url)).toMatchObject({ status: 404 });
  await shown.stop();
});
