import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ChainEvent, s3Sink } from 'algernon-middy';
import { type LocalAws, startLocalAws } from '../../../local/index.ts';
import { createTaskQueue, type TaskQueue } from '../../../local/taskQueues.ts';
import { readWorkerOptions } from '../../../local/workerOptions.ts';

import { countOf } from '../tools.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const queues = new Map<string, TaskQueue>();
let aws: LocalAws;
let folder: string;

beforeAll(async () => {
  aws = await startLocalAws();
  // Node finds this package by its own name in its own folder, which git ignores.
  mkdirSync(join(root, 'coverage'), { recursive: true });
  folder = mkdtempSync(join(root, 'coverage', 'cli-'));
  mkdirSync(join(folder, '.algernon'));
  writeFileSync(
    join(folder, '.algernon/dev.json'),
    JSON.stringify({ endpoint: aws.endpoint, bucket: aws.bucket }),
  );
  const settings = (tasks: string[], fifo = false) =>
    readWorkerOptions({ aws, handler: async () => undefined, tasks, fifo });
  const tasks = ['send', 'show', 'again', 'all', 'edit', 'run'];
  for (const task of tasks) queues.set(task, await createTaskQueue(task, settings(tasks)));
  queues.set('ordered', await createTaskQueue('ordered', settings(['ordered'], true)));
});
afterAll(async () => {
  await aws.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
  code: number | null;
  out: string;
  error: string;
}

/** Runs the command line as a process, in a folder with the file of a dev server, and without AWS credentials. */
async function run(
  words: readonly string[],
  how: { input?: string; env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [join(root, 'dist/local/cli.js'), ...words], {
    cwd: how.cwd ?? folder,
    env: { PATH: process.env.PATH, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true', ...how.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  const texts = { out: '', error: '' };
  child.stdout.on('data', (text) => (texts.out += text));
  child.stderr.on('data', (text) => (texts.error += text));
  child.stdin.end(how.input ?? '');
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on('close', resolve);
  return { code: await promise, ...texts };
}

const queueOf = (task: string) => queues.get(task) as TaskQueue;

/** Puts a message into a dead-letter queue, as failurePolicy does. */
async function putDeadLetter(
  task: string,
  content: object,
  over: Partial<SendMessageCommand['input']> = {},
): Promise<string> {
  const { topicArn, deadLetter } = queueOf(task);
  const envelope = {
    Type: 'Notification',
    MessageId: `sns-${task}`,
    TopicArn: topicArn,
    Message: JSON.stringify({ task_name: task, ...content }),
    Timestamp: new Date().toISOString(),
    MessageAttributes: { chain_id: { Type: 'String', Value: `chain-${task}` } },
  };
  const text = (StringValue: string) => ({ DataType: 'String', StringValue });
  const { MessageId = '' } = await aws.sqs.send(
    new SendMessageCommand({
      QueueUrl: deadLetter.url,
      MessageBody: JSON.stringify(envelope),
      MessageAttributes: { failure_reason: text('RangeError: too\u202e wide'), kept: text('yes') },
      ...over,
    }),
  );
  return MessageId;
}

/** Takes the messages of a queue: their tasks, attributes and envelopes. */
async function take(url: string) {
  const command = new ReceiveMessageCommand({
    QueueUrl: url,
    MaxNumberOfMessages: 10,
    MessageAttributeNames: ['All'],
  });
  const { Messages = [] } = await aws.sqs.send(command);
  return Messages.map(({ Body = '', MessageAttributes = {} }) => {
    const envelope = JSON.parse(Body);
    return {
      envelope,
      text: envelope.Message,
      task: JSON.parse(envelope.Message),
      attributes: Object.keys(MessageAttributes),
    };
  });
}

describe('usage', () => {
  test.each([
    [['--help'], 0, 'Commands:'],
    [['help', 'redrive'], 0, 'algernon-middy redrive resize --all'],
    [['send', '--help'], 0, 'Examples:'],
    [['--version'], 0, '0.'],
    [[], 2, 'Commands:'],
    [['resend'], 2, 'there is no command resend. The commands are: dev, open, send,'],
    [['send'], 2, 'an argument is missing. Usage: algernon-middy send TASK'],
    [['dead-letters', 'a', 'b'], 2, 'b is one argument too many'],
    [['send', 'send', '--kwags', 'a=1'], 2, "Unknown option '--kwags'"],
    [['send', 'send', '{"a":'], 2, 'the argument is not JSON'],
    [['send', 'send', '[1]'], 2, 'must be a JSON object'],
    [['send', 'send', '--kwargs', 'a'], 2, '--kwargs must be NAME=VALUE'],
    [['chain', 'c-1', '-', '--bucket', 'b'], 2, 'give one of --bucket NAME'],
    [['dev', 'nothing.ts'], 2, 'the worker nothing.ts does not exist'],
    [['dev', 'nothing.ts', '--port', '70000'], 2, '--port must be a number from 0 to 65535, not 70000'],
    [['open', 'nothing.jsonl'], 2, 'nothing.jsonl does not exist'],
    [['open', '.algernon/dev.json'], 1, 'is not the file of a run'],
    [['redrive', 'again'], 2, 'give either --all, or --id ID'],
    [['replay', 'x'], 2, '--task TASK is missing'],
    [['send', 'send', '--endpoint', 'http://127.0.0.1:1', '--profile', 'x'], 2, 'exclude each other'],
  ])('%p ends with %d', async (words, code, text) => {
    const { code: ended, out, error } = await run(words);
    expect([ended, out + error]).toEqual([code, expect.stringContaining(text)]);
  });
});

test('send puts a task on its topic, with its tags and digits', async () => {
  const json = '{"n":12345678901234567890,"at":{"_alg_class":"set","value":[1]}}';
  const words = [
    'send',
    'send',
    '-',
    '--kwargs',
    'width=200',
    '--kwargs',
    'name=cat',
    '--callback',
    'send#b',
  ];
  const [sent, missing, gone] = await Promise.all([
    run([...words, '--chain-id', 'c-1', '--attribute', 'tenant=a', '--json'], { input: json }),
    run(['send', 'resize', '--json']),
    run(['send', 'send', '--endpoint', 'http://127.0.0.1:1']),
  ]);
  expect(sent).toEqual({
    code: 0,
    error: '',
    out: expect.stringMatching(/^\{"chainId":"c-1","messageId":"[^\n]*\n$/),
  });
  const [message] = await take(queueOf('send').url);
  expect(message?.text).toBe(
    `{"task_name":"send","task_kwargs":{${json.slice(1, -1)},"width":200,"name":"cat"},"callback":"send#b"}`,
  );
  expect(message?.envelope.MessageAttributes).toMatchObject({
    chain_id: { Value: 'c-1' },
    tenant: { Value: 'a' },
  });
  expect(missing).toEqual({ code: 1, out: '', error: expect.stringContaining('"code":"TOPIC_NOT_FOUND"') });
  expect(missing.error).toContain('again, all, edit, ordered.fifo, run, send, show');
  expect(gone).toEqual({
    code: 1,
    out: '',
    error: expect.stringContaining('Nothing answers at http://127.0.0.1:1.'),
  });
});

test('AWS without credentials or a region says what is missing', async () => {
  const [credentials, region, unknown] = await Promise.all([
    run(['dead-letters', 'a', '--region', 'us-east-1']),
    run(['dead-letters', 'a'], { cwd: root, env: { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' } }),
    run(['dead-letters', 'a', '--profile', 'nobody', '--json']),
  ]);
  expect([credentials.code, credentials.error]).toEqual([
    1,
    expect.stringContaining('There are no credentials for AWS'),
  ]);
  expect([region.code, region.error]).toEqual([
    1,
    expect.stringContaining('The region is unknown. Use --region'),
  ]);
  expect([unknown.code, unknown.error]).toEqual([1, expect.stringMatching(/"code":"NO_/)]);
});

test('dead-letters shows messages, safely, and leaves them', async () => {
  const id = await putDeadLetter('show', {
    task_kwargs: { text: 'a\u001b[2Jb\u202ec\u009bd' },
    callback: 'x\u001b[1m',
  });
  const { url } = queueOf('show').deadLetter;
  await aws.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'not \u202e JSON' }));
  const shown = await run(['dead-letters', 'show']);
  expect(shown).toMatchObject({
    code: 0,
    error: '',
    out: expect.stringContaining(`${id}  show  sent `),
  });
  expect(shown.out).toContain('RangeError: too\\u202e wide');
  expect(shown.out).toContain('2 messages in');
  const json = await run(['dead-letters', 'show', '--json']);
  expect(JSON.parse(json.out).messages).toMatchObject([
    { messageId: id, chainId: 'chain-show', task: { task_name: 'show' }, attributes: { kept: 'yes' } },
    { task: null, body: 'not \u202e JSON' },
  ]);
  for (const { out } of [shown, json]) expect(out).not.toMatch(/[^\P{Cc}\n]|[\u202a-\u202e]/u);
  const limited = await run(['dead-letters', 'show', '--limit', '1']);
  expect(limited.out).toContain('1 message of about 2; see --limit in');
});

describe('redrive', () => {
  test('sends one message again, with its envelope and attributes, and deletes it', async () => {
    const [first, second] = [
      await putDeadLetter('again', { task_kwargs: { n: 1 } }),
      await putDeadLetter('again', {}),
    ];
    const { code, out } = await run(['redrive', 'again', '--id', first]);
    expect([code, out]).toEqual([
      0,
      expect.stringContaining(`${first}  sent again\n1 of 1 messages sent to`),
    ]);
    const { url, deadLetter } = queueOf('again');
    expect(await take(url)).toEqual([
      {
        envelope: expect.objectContaining({ MessageId: 'sns-again' }),
        text: '{"task_name":"again","task_kwargs":{"n":1}}',
        task: { task_name: 'again', task_kwargs: { n: 1 } },
        attributes: ['kept'],
      },
    ]);
    // The other one is visible again.
    expect(await countOf(aws, deadLetter)).toEqual({ waiting: 1, hidden: 0 });
    const { Messages = [] } = await aws.sqs.send(new ReceiveMessageCommand({ QueueUrl: deadLetter.url }));
    expect(Messages.map(({ MessageId }) => MessageId)).toEqual([second]);
  });

  test('sends all, and says which it did not find', async () => {
    await Promise.all([1, 2, 3].map((n) => putDeadLetter('all', { task_kwargs: { n } })));
    const lost = await run(['redrive', 'all', '--id', 'nobody', '--json']);
    expect(lost.code).toBe(1);
    expect(JSON.parse(lost.out).messages).toEqual([
      {
        messageId: 'nobody',
        outcome: 'failed',
        code: 'MESSAGE_NOT_FOUND',
        error: 'The message is not in the dead-letter queue of all.',
      },
    ]);
    const { code, out } = await run(['redrive', 'all', '--all']);
    expect([code, out]).toEqual([0, expect.stringContaining('3 of 3 messages sent')]);
    const { url, deadLetter } = queueOf('all');
    expect((await take(url)).map(({ task }) => task.task_kwargs.n).sort()).toEqual([1, 2, 3]);
    expect(await countOf(aws, deadLetter)).toEqual({ waiting: 0, hidden: 0 });
  });

  test('keeps the group of a FIFO message', async () => {
    await putDeadLetter('ordered', {}, { MessageGroupId: 'g', MessageDeduplicationId: 'd' });
    expect(await run(['redrive', 'ordered', '--all'])).toMatchObject({ code: 0 });
    const { url } = queueOf('ordered');
    const receive = new ReceiveMessageCommand({ QueueUrl: url, MessageSystemAttributeNames: ['All'] });
    const { Messages: [message] = [] } = await aws.sqs.send(receive);
    expect(message?.Attributes).toMatchObject({ MessageGroupId: 'g' });
    expect(message?.Attributes?.MessageDeduplicationId).not.toBe('d');
  });

  test('lets an editor change a task; a bad one stays', async () => {
    const { url, deadLetter } = queueOf('edit');
    const editor = (from: string, to: string) => {
      const file = join(folder, `editor-${from.length}.mjs`);
      const script = `import { readFileSync, writeFileSync } from 'node:fs';
        const file = process.argv[2];
        writeFileSync(file, readFileSync(file, 'utf8').replace(${JSON.stringify(from)}, ${JSON.stringify(to)}));`;
      writeFileSync(file, script);
      return { EDITOR: `"${process.execPath}" "${file}"` };
    };
    const id = await putDeadLetter('edit', { task_kwargs: { width: 'wide' } });
    const broken = await run(['redrive', 'edit', '--edit', '--all'], { env: editor('{', '{{') });
    expect([broken.code, broken.error]).toEqual([1, expect.stringContaining(id)]);
    expect(await run(['redrive', 'edit', '--edit', '--all'])).toMatchObject({
      code: 2,
      error: expect.stringContaining('set EDITOR'),
    });
    expect(await take(url)).toEqual([]);
    const edited = await run(['redrive', 'edit', '--edit', '--id', id], { env: editor('"wide"', '200') });
    expect(edited.code).toBe(0);
    expect(await take(url)).toMatchObject([
      { task: { task_name: 'edit', task_kwargs: { width: 200 } }, envelope: { MessageId: 'sns-edit' } },
    ]);
    expect(await take(deadLetter.url)).toEqual([]);
  });
});

const body = (value: unknown) => JSON.stringify({ data_string: value, full_unpack: true, safe_mode: false });
const pointer = (key: string) => ({
  _alg_class: 'StoredData',
  _alg_module: 'algernon.aws.snakes',
  value: { pointer: `algernon-local#${key}` },
});

async function putObject(key: string, value: unknown): Promise<void> {
  await aws.s3.send(new PutObjectCommand({ Bucket: aws.bucket, Key: key, Body: body(value) }));
}

test('decode opens a message, and reads what its pointers lead to', async () => {
  await putObject('cache/a!1.json', {
    at: { _alg_class: 'set', value: [1] },
    inner: pointer('cache/b!1.json'),
  });
  await putObject('cache/b!1.json', 'deep');
  const message = { task_name: 'a', task_kwargs: { value: pointer('cache/a!1.json') } };
  const input = Buffer.from(JSON.stringify({ MessageId: 'm', Body: JSON.stringify(message) })).toString(
    'base64',
  );
  const [shown, json, refused, bad, absent] = await Promise.all([
    run(['decode', '--resolve'], { input }),
    run(['decode', '-', '--resolve', '--json'], { input }),
    run(['decode', '--resolve', '--endpoint', aws.endpoint], {
      input,
      env: { ALGERNON_BUCKET_NAME: 'other' },
    }),
    run(['decode'], { input: 'hello \u001b[2J' }),
    run(['decode', 'nothing.json']),
  ]);
  expect(shown).toEqual({
    code: 0,
    error: '',
    out: expect.stringContaining("at: Set(1) { 1 }, inner: 'deep'"),
  });
  expect(shown.out).toContain('base64 → SQS message  message m');
  expect(JSON.parse(json.out)).toEqual([
    {
      layers: ['base64', 'SQS message'],
      content: {
        task_name: 'a',
        task_kwargs: { value: { at: { _alg_class: 'set', value: [1] }, inner: 'deep' } },
      },
      attributes: {},
      messageId: 'm',
    },
  ]);
  expect([refused.code, refused.error]).toEqual([1, expect.stringContaining('algernon-local')]);
  expect([bad.code, bad.error]).toEqual([1, expect.stringContaining('The text is not JSON')]);
  expect([absent.code, absent.error]).toEqual([2, expect.stringContaining('nothing.json cannot be read')]);
});

test('replay runs the worker of this machine on a dead letter, and nothing leaves', async () => {
  writeFileSync(
    join(folder, 'worker.js'),
    `import middy from '@middy/core';
     import { callbackPublisher, lambdaLogged, queued, sqsSnsUnwrap, storedDataHydrate } from 'algernon-middy';
     const work = ({ task_kwargs: { value, fails } }) => {
       console.log('working on', value);
       if (fails) throw new RangeError('too \u001b[1m wide');
       return { doubled: value.n * 2, bucket: process.env.ALGERNON_BUCKET_NAME };
     };
     export const handler = middy(queued(work))
       .use(lambdaLogged()).use(sqsSnsUnwrap()).use(storedDataHydrate()).use(callbackPublisher());
     setInterval(() => {}, 1000);`,
  );
  await putObject('cache/run!1.json', { n: 21 });
  const value = pointer('cache/run!1.json');
  const good = await putDeadLetter('run', { task_kwargs: { value }, callback: 'next' });
  const before = await aws.s3.send(new ListObjectsV2Command({ Bucket: aws.bucket }));
  const words = ['--task', 'run', '--worker', 'worker.js'];
  const input = JSON.stringify({ task_name: 'run', task_kwargs: { value: { n: 1 } } });
  const failing = JSON.stringify({ task_name: 'run', task_kwargs: { value, fails: true } });
  const [json, failed, typed, unexported, absent] = await Promise.all([
    run(['replay', good, ...words, '--json']),
    run(['replay', '-', '--worker', 'worker.js'], { input: failing }),
    run(['replay', '-', '--worker', 'worker.js#handler'], { input }),
    run(['replay', '-', '--worker', 'worker.js#main'], { input }),
    run(['replay', '-'], { input }),
  ]);
  const unknown = await run(['replay', 'nobody', ...words]);
  expect(json).toMatchObject({ code: 0, error: '' });
  expect(JSON.parse(json.out)).toMatchObject({
    task: { task_name: 'run', callback: 'next' },
    result: { doubled: 42, bucket: 'algernon-local' },
    logs: expect.arrayContaining([expect.objectContaining({ task_name: 'run', chain_id: 'chain-run' })]),
    published: [{ topicArn: expect.stringMatching(/:next$/), message: expect.stringContaining('"next"') }],
    read: [{ bucket: 'algernon-local', key: 'cache/run!1.json' }],
  });
  expect(failed).toMatchObject({
    code: 1,
    out: expect.stringContaining('run failed: RangeError: too \\u001b[1m wide'),
  });
  expect(typed).toMatchObject({ code: 0, out: expect.stringContaining('run succeeded: { doubled: 2,') });
  expect([unknown.code, unknown.error]).toEqual([1, expect.stringMatching(`It has: .*${good}`)]);
  expect([unexported.code, unexported.error]).toEqual([
    2,
    expect.stringContaining('exports handler, and not a function main'),
  ]);
  expect([absent.code, absent.error]).toEqual([
    2,
    expect.stringContaining('the worker worker.ts does not exist'),
  ]);
  const after = await aws.s3.send(new ListObjectsV2Command({ Bucket: aws.bucket }));
  expect(after.KeyCount).toBe(before.KeyCount);
  expect(await take(queueOf('run').deadLetter.url)).toHaveLength(1);
});

test('chain shows the tasks of a chain from its log lines', async () => {
  const line = (over: object) =>
    JSON.stringify({ level: 'INFO', message: 'at work', chain_id: 'c-1', receive_count: 1, ...over });
  const load = { task_name: 'load', message_id: 'm-1', chain: 'load#report' };
  const lines = [
    line({ timestamp: '2026-11-27T10:00:03.250Z', ...load, receive_count: 2 }),
    line({ timestamp: '2026-11-27T10:00:01.000Z', ...load }),
    line({
      timestamp: '2026-11-27T10:00:01.500Z',
      ...load,
      level: 'ERROR',
      message: 'task failed',
      error: { name: 'RangeError', message: 'too \u001b[1m wide' },
    }),
    line({ timestamp: '2026-11-27T10:00:04.000Z', task_name: 'report', message_id: 'm-2' }),
    line({ timestamp: '2026-11-27T10:00:05.000Z', chain_id: 'other' }),
    'not JSON',
  ];
  const asked: Record<string, unknown>[] = [];
  // CloudWatch Logs, in two pages.
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const piece of request) text += piece;
    const input = JSON.parse(text);
    asked.push(input);
    const messages = input.nextToken ? lines.slice(3) : lines.slice(0, 3);
    const page = {
      events: messages.map((message) => ({ message })),
      ...(input.nextToken ? {} : { nextToken: '2' }),
    };
    response.setHeader('content-type', 'application/x-amz-json-1.1').end(JSON.stringify(page));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_REGION: 'us-east-1' };
  const input = lines.join('\n');
  const [shown, json, logs, absent, nothing, age] = await Promise.all([
    run(['chain', 'c-1', '-', '--lines'], { input }),
    run(['chain', 'c-1', '-', '--json'], {
      input: JSON.stringify({ events: lines.map((message) => ({ message })) }),
    }),
    run(['chain', 'c-1', '--log-group', '/aws/lambda/worker', '--endpoint', endpoint, '--json'], { env }),
    run(['chain', 'c-2', '-'], { input }),
    run(['chain', 'c-1']),
    run(['chain', 'c-1', '-', '--since', 'ever'], { input }),
  ]);
  server.close();
  expect(shown).toEqual({
    code: 0,
    error: '',
    out: [
      'load  m-1  load#report',
      '  #1  2026-11-27 10:00:01.000 +0.500 s  failed: RangeError: too \\u001b[1m wide',
      '    10:00:01.000 INFO at work',
      '    10:00:01.500 ERROR task failed',
      '  #2  2026-11-27 10:00:03.250 +0.000 s',
      '    10:00:03.250 INFO at work',
      'report  m-2',
      '  #1  2026-11-27 10:00:04.000 +0.000 s',
      '    10:00:04.000 INFO at work',
      '',
    ].join('\n'),
  });
  expect(JSON.parse(json.out).tasks).toMatchObject([
    { taskName: 'load', attempts: [{ attempt: 1, error: { name: 'RangeError' } }, { attempt: 2 }] },
    { taskName: 'report' },
  ]);
  expect(logs).toMatchObject({ code: 0, error: '' });
  expect(JSON.parse(logs.out)).toEqual(JSON.parse(json.out));
  expect(asked).toMatchObject([
    {
      logGroupName: '/aws/lambda/worker',
      filterPattern: '{ $.chain_id = "c-1" }',
      startTime: expect.any(Number),
    },
    { nextToken: '2' },
  ]);
  expect([absent.code, absent.error]).toEqual([
    1,
    expect.stringContaining('There is no line of the chain c-2'),
  ]);
  expect([nothing.code, nothing.error]).toEqual([1, expect.stringContaining('No dev server runs in this')]);
  expect([age.code, age.error]).toEqual([2, expect.stringContaining('--since must be such as')]);
});

test('chain shows the tree of a chain from the events of s3Sink', async () => {
  const fields = { chainId: 'c-9', receiver: 'arn:aws:sqs:us-east-1:000000000000:load', attempt: 1 };
  const load = { ...fields, messageId: 'm-1', taskName: 'load' };
  const report = { ...fields, messageId: 'm-2', taskName: 'report\u001b[1m' };
  const error = { name: 'RangeError', message: 'too \u001b[1m wide' };
  const at = Date.parse('2026-11-27T10:00:00Z');
  const message = { messageId: 'm-2', taskName: 'report', role: 'callback' as const };
  const events: ChainEvent[] = [
    { type: 'sent', chainId: 'c-9', messageId: 'm-1', taskName: 'load', at },
    { type: 'received', ...load, at: at + 20 },
    { type: 'published', ...load, at: at + 60, messages: [message], durationMillis: 5 },
    { type: 'succeeded', ...load, at: at + 70, durationMillis: 30, next: ['report'] },
    { type: 'received', ...report, at: at + 80 },
    { type: 'failed', ...report, at: at + 90, error, durationMillis: 5 },
    { type: 'retried', ...report, at: at + 90, delaySeconds: 30 },
  ];
  const { signal } = new AbortController();
  await s3Sink({ s3: aws.s3, bucket: aws.bucket, folder: 'events' }).write(events, { signal });
  const words = ['chain', 'c-9', '--bucket', aws.bucket];
  const [shown, json, absent] = await Promise.all([
    run([...words, '--folder', 'events']),
    run([...words, '--folder', 'events', '--json']),
    run(words),
  ]);
  expect(shown).toEqual({
    code: 0,
    error: '',
    out: [
      'c-9  open  2026-11-27 10:00:00.000  0.090 s',
      '  load  m-1  succeeded',
      '    #1  10:00:00.020  waited 0.020 s, ran 0.030 s, published 0.005 s  succeeded',
      '    report  m-2  retrying',
      '      #1  10:00:00.080  waited 0.020 s, ran 0.005 s  failed: RangeError: too \\u001b[1m wide  again at 10:00:30.090',
      '',
    ].join('\n'),
  });
  expect(JSON.parse(json.out)).toMatchObject({ chainId: 'c-9', status: 'open', open: ['m-2'] });
  expect([absent.code, absent.error]).toEqual([1, expect.stringContaining('no event of the chain c-9')]);
});
