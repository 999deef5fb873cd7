import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { unwrapTask } from '../../core/index.ts';
import { cancelTask } from '../../middlewares/cancelTask.ts';
import { type SendTaskOptions, sendTask, sendTasks } from '../../middlewares/sendTask.ts';
import { runNode } from '../local/tools.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

interface Call {
  method: string;
  path: string;
  body: { Target: { Arn?: string; Input?: string }; Entries?: unknown };
}

let server: Server;
let calls: Call[];
let answer: { status: number; headers?: Record<string, string>; body?: object };
let clients: { scheduler: SchedulerClient; sns: SNSClient; sqs: SQSClient };

beforeEach(async () => {
  calls = [];
  answer = { status: 200 };
  server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const { method = '', url: path = '' } = request;
    calls.push({ method, path, body: text.startsWith('{') ? JSON.parse(text) : text });
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(JSON.stringify(answer.body ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const common = {
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  };
  // The clients are real; only their answers are not.
  clients = {
    scheduler: new SchedulerClient(common),
    sns: new SNSClient(common),
    sqs: new SQSClient(common),
  };
});
afterEach(async () => {
  for (const client of Object.values(clients)) client.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const topicArn = 'arn:aws:sns:us-east-1:123456789012:work';
const roleArn = 'arn:aws:iam::123456789012:role/scheduler';
const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000);
const optionsFor = (more: Partial<SendTaskOptions> = {}): SendTaskOptions => ({
  ...clients,
  topics: { work: topicArn },
  schedule: { roleArn },
  ...more,
});
const targetOf = ([call]: readonly Call[]) => call?.body.Target ?? {};
const task = { task_name: 'work', task_kwargs: { n: 1 }, callback: 'next' };

describe('a task beyond 900 seconds', () => {
  test('becomes a schedule that puts it into its queue once, and deletes itself', async () => {
    const at = new Date('2099-12-31T23:59:58.001Z');
    const sent = await sendTask(task, optionsFor({ at, attributes: { tenant: 'blue' } }));
    expect(sent.scheduleId).toMatch(/^default\/[\da-f-]{36}$/);
    const [{ method, path, body } = {} as Call] = calls;
    expect([calls.length, method, path]).toEqual([1, 'POST', `/schedules/${sent.scheduleId?.split('/')[1]}`]);
    expect(body).toEqual({
      GroupName: 'default',
      ScheduleExpression: 'at(2099-12-31T23:59:59)',
      ScheduleExpressionTimezone: 'UTC',
      FlexibleTimeWindow: { Mode: 'OFF' },
      ActionAfterCompletion: 'DELETE',
      ClientToken: expect.any(String),
      Target: {
        Arn: 'arn:aws:sqs:us-east-1:123456789012:work',
        RoleArn: roleArn,
        Input: expect.any(String),
      },
    });
    const envelope = JSON.parse(body.Target.Input ?? '');
    expect(envelope).toEqual({
      Type: 'Notification',
      MessageId: sent.messageId,
      TopicArn: topicArn,
      Message: '{"task_name":"work","task_kwargs":{"n":1},"callback":"next"}',
      Timestamp: at.toISOString(),
      MessageAttributes: {
        tenant: { Type: 'String', Value: 'blue' },
        chain_id: { Type: 'String', Value: sent.chainId },
      },
    });
  });

  test('takes the group, the dead-letter queue and the queue of its options, also as a URL', async () => {
    const deadLetterQueue = 'arn:aws:sqs:us-east-1:123456789012:lost';
    const schedule = { roleArn, groupName: 'tasks', deadLetterQueue };
    const queues = { work: 'https://sqs.us-east-1.amazonaws.com/123456789012/other' };
    const { scheduleId } = await sendTask(task, optionsFor({ at: inMinutes(16), schedule, queues }));
    expect(scheduleId).toMatch(/^tasks\//);
    expect(calls[0]?.body).toMatchObject({
      GroupName: 'tasks',
      Target: { Arn: 'arn:aws:sqs:us-east-1:123456789012:other', DeadLetterConfig: { Arn: deadLetterQueue } },
    });
  });

  test('reaches a FIFO queue with its group and deduplication id, in the partition of its topic', async () => {
    const topics = { work: 'arn:aws-cn:sns:cn-north-1:123456789012:work.fifo' };
    const queues = { work: 'https://sqs.cn-north-1.amazonaws.com.cn/123456789012/work.fifo' };
    const fifo = { topics, queues, groupId: 'G', deduplicationId: 'D' };
    await sendTask(task, optionsFor({ at: inMinutes(60), ...fifo }));
    const { Arn, Input = '' } = targetOf(calls);
    expect(Arn).toBe('arn:aws-cn:scheduler:::aws-sdk:sqs:sendMessage');
    const { MessageBody, ...call } = JSON.parse(Input);
    expect(call).toEqual({ QueueUrl: queues.work, MessageGroupId: 'G', MessageDeduplicationId: 'D' });
    expect(unwrapTask(sqsRecord(MessageBody, { raw: true }))).toEqual(task);
  });

  test('reaches a FIFO queue that is given by its ARN', async () => {
    const queues = { work: 'arn:aws:sqs:us-east-1:123456789012:work.fifo' };
    answer.body = { QueueUrl: 'https://sqs.us-east-1.amazonaws.com/123456789012/work.fifo' };
    await sendTask(task, optionsFor({ at: inMinutes(60), queues }));
    const { Input = '' } = targetOf(calls.slice(1));
    expect(JSON.parse(Input)).toMatchObject(answer.body);
  });

  test.each(['work', 'work.fifo'])(
    'arrives as it was, whatever Scheduler replaces in the input of %s',
    async (name) => {
      const hostile = { text: '<aws.scheduler.schedule-arn> \u003c \\u003caws.scheduler.execution-id> "<' };
      const topics = { work: topicArn.replace(/work$/, name) };
      const queues = { work: `https://sqs.us-east-1.amazonaws.com/123456789012/${name}` };
      const attributes = { tenant: '<aws.scheduler.attempt-number>' };
      await sendTask(
        { ...task, task_kwargs: hostile },
        optionsFor({ at: inMinutes(60), topics, queues, attributes }),
      );
      const replaced = String(targetOf(calls).Input).replaceAll(/<aws\.scheduler\.[\w-]+>/g, 'REPLACED');
      const input = JSON.parse(replaced);
      const envelope = input.MessageBody ? JSON.parse(input.MessageBody) : input;
      expect(JSON.parse(envelope.Message).task_kwargs).toEqual(hostile);
      expect(envelope.MessageAttributes.tenant.Value).toBe(attributes.tenant);
    },
  );

  test('is refused where Scheduler could not carry it', async () => {
    const large = { ...task, task_kwargs: { text: 'x'.repeat(300_000) } };
    const s3 = { send: async () => ({}) } as never;
    const options = { s3, bucket: 'b', at: inMinutes(60) };
    await sendTask(large, optionsFor(options));
    expect(String(targetOf(calls).Input)).toContain('StoredData');
    const sending = sendTask(large, optionsFor({ ...options, extendedPayload: true, maxMessageBytes: 100 }));
    await expect(sending).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
  });

  test('can be sent with others, and each has its schedule', async () => {
    const sent = await sendTasks([task, task, task], optionsFor({ at: inMinutes(60) }));
    expect(new Set(sent.map(({ scheduleId }) => scheduleId)).size).toBe(3);
    expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(3);
    expect(calls).toHaveLength(3);
  });

  test.each([
    [{ status: 429, headers: { 'x-amzn-errortype': 'ThrottlingException' } }, true],
    [{ status: 500 }, true],
    [{ status: 400, headers: { 'x-amzn-errortype': 'ValidationException' } }, false],
    [{ status: 403, headers: { 'x-amzn-errortype': 'AccessDeniedException' } }, false],
  ])('that Scheduler refuses with %j says whether that may pass', async (refusal, retryable) => {
    answer = refusal;
    const sending = sendTask(task, optionsFor({ at: inMinutes(60) }));
    await expect(sending).rejects.toMatchObject({ code: 'SCHEDULE_FAILED', retryable });
    await expect(sending).rejects.toThrow(/create the schedule default\/[\da-f-]{36}:/);
  });
});

describe('a task with at', () => {
  test.each([
    ['in the past', () => new Date(0)],
    ['now', () => new Date()],
  ])('%s is sent at once, through its topic', async (_, at) => {
    await sendTask(task, optionsFor({ at: at() })).catch(() => {});
    expect(calls.map(({ body }) => String(body).slice(0, 19))).toEqual(['Action=PublishBatch']);
  });

  test('within 900 seconds is a delay, of whole seconds', async () => {
    const queues = { work: 'https://sqs.us-east-1.amazonaws.com/123456789012/work' };
    const { schedule: _, ...options } = optionsFor({ at: new Date(Date.now() + 899_500), queues });
    const { scheduleId } = await sendTask(task, options);
    expect(scheduleId).toBeUndefined();
    expect(calls[0]?.body.Entries).toEqual([expect.objectContaining({ DelaySeconds: 900 })]);
  });

  test.each<[string, object]>([
    ['beyond 900 seconds without a schedule', { at: inMinutes(16), schedule: undefined }],
    ['of an invalid Date', { at: new Date(Number.NaN) }],
    ['of a year that Scheduler cannot write', { at: new Date(8.64e15) }],
    ['of a number', { at: Date.now() }],
    ['beside delaySeconds', { at: inMinutes(1), delaySeconds: 5 }],
    ['with a schedule without a role', { at: inMinutes(16), schedule: {} }],
    ['with a bad role', { at: inMinutes(16), schedule: { roleArn: 'role' } }],
    ['with a bad group', { at: inMinutes(16), schedule: { roleArn, groupName: 'a/b' } }],
    ['with an unknown option of the schedule', { at: inMinutes(16), schedule: { roleArn, role: 1 } }],
  ])('%s is an OptionError', async (_, options) => {
    await expect(sendTask(task, optionsFor(options))).rejects.toMatchObject({ code: 'BAD_OPTION' });
    await expect(sendTasks([task], optionsFor(options))).rejects.toMatchObject({ code: 'BAD_OPTION' });
    expect(calls).toEqual([]);
  });
});

describe('cancelTask', () => {
  test('deletes the schedule', async () => {
    const schedule = { roleArn, groupName: 'tasks' };
    const { scheduleId = '' } = await sendTask(task, optionsFor({ at: inMinutes(16), schedule }));
    expect(await cancelTask(scheduleId, { scheduler: clients.scheduler })).toBe(true);
    expect(calls[1]?.method).toBe('DELETE');
    const { pathname, searchParams } = new URL(calls[1]?.path ?? '', 'http://localhost');
    expect([pathname, searchParams.get('groupName')]).toEqual([
      `/schedules/${scheduleId.split('/')[1]}`,
      'tasks',
    ]);
  });

  test('says that there is none', async () => {
    answer = { status: 404, headers: { 'x-amzn-errortype': 'ResourceNotFoundException' } };
    expect(await cancelTask('default/gone', { scheduler: clients.scheduler })).toBe(false);
  });

  test('fails when Scheduler does', async () => {
    answer = { status: 500 };
    const cancelling = cancelTask('default/some', { scheduler: clients.scheduler });
    await expect(cancelling).rejects.toMatchObject({ code: 'SCHEDULE_FAILED', retryable: true });
    await expect(cancelling).rejects.toThrow('delete the schedule default/some:');
  });

  test.each(['', 'name', 'a/b/c', '../x', 'default/..', 7])('refuses the id %j', async (id) => {
    await expect(cancelTask(id as never, { scheduler: clients.scheduler })).rejects.toMatchObject({
      code: 'BAD_OPTION',
    });
    expect(calls).toEqual([]);
  });
});

test('without @aws-sdk/client-scheduler the package imports, and the first schedule says what to install', async () => {
  const { output, code } = await runNode(
    `import { registerHooks } from 'node:module';
     const missing = '@aws-sdk/client-scheduler';
     registerHooks({ resolve(name, context, next) {
       return next(name, name === missing ? { ...context, parentURL: 'file:///nowhere/x.js' } : context);
     } });
     const { cancelTask, sendTask } = await import('./middlewares/index.ts');
     const options = {
       topics: { work: '${topicArn}' },
       at: new Date(Date.now() + 1e7),
       schedule: { roleArn: '${roleArn}' },
     };
     const errors = [sendTask({ task_name: 'work' }, options), cancelTask('default/x')];
     for (const error of errors) console.log(await error.catch(({ code, message }) => code + ' ' + message));`,
  );
  const line =
    'MISSING_PACKAGE a scheduled task needs @aws-sdk/client-scheduler: npm install @aws-sdk/client-scheduler';
  expect(output.trim().split('\n')).toEqual([line, line]);
  expect(code).toBe(0);
});
