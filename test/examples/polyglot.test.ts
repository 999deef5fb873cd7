import { spawnSync } from 'node:child_process';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { PublishCommand } from '@aws-sdk/client-sns';
import { expect, test } from '@jest/globals';
import { ajson, Decimal, parsePointer, type SqsRecord } from 'algernon-middy';
import { testWorker } from 'algernon-middy/testing';
import { startPython } from '../../examples/polyglot/startPython.ts';
import { handler } from '../../examples/polyglot/worker.ts';
import { runExample } from '../support/runExample.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;

const read = {
  task_name: 'read',
  task_kwargs: { csv: '2026-01-30;Oslo;0.10\n2026-01-31;Bergen;0.20\n2026-01-30;Oslo;19.99' },
  callback: 'read#total#report',
};
const total = {
  total: new Decimal('20.29'),
  cities: new Set(['Oslo', 'Bergen']),
  latest: new Date('2026-01-31'),
};

/** The texts that the Python worker wrote for this chain: its message to `report`, and the object of the pointer in it. */
const recorded = {
  message: `{"task_name": "report", "task_kwargs": {"_alg_class": "StoredData", "_alg_module": "algernon.aws.snakes", "value": {"pointer": "algernon-local#cache/5b8f0e51-4b5a-4f0c-9d43-0f5f2c8f6f5e!1795766363.5.json"}}, "callback": "read#total#report"}`,
  object: `{"data_string": {"total": {"_alg_class": "decimal", "value": "20.29"}, "cities": {"_alg_class": "set", "value": ["Bergen", "Oslo"]}, "latest": {"_alg_class": "datetime", "value": {"tz": "UTC", "timestamp": 1769817600.0}}}, "full_unpack": true, "safe_mode": false}`,
};

const pointerIn = (message: string) => /"pointer": "([^"]+)"/.exec(message)?.[1] ?? '';

test('report reads the message that the Python worker wrote', async () => {
  await using worker = await testWorker(handler, { tasks: ['read', 'report'] });
  const { bucket: Bucket, key: Key } = parsePointer(pointerIn(recorded.message));
  await worker.aws.s3.send(new PutObjectCommand({ Bucket, Key, Body: recorded.object }));
  await worker.aws.sns.send(
    new PublishCommand({ TopicArn: worker.topics.report, Message: recorded.message }),
  );
  await worker.idle();
  expect(worker.results('report')).toEqual([total]);
});

test('without python3, the command says that it is missing', async () => {
  await expect(runExample('polyglot', { PATH: '' })).rejects.toThrow('This example needs python3');
});

/** Sends the chain as far as the Python worker, gives it the message, and resolves to the message for `report`. */
async function messageOfPython(): Promise<{ message: string; object: string }> {
  await using worker = await testWorker(handler, { tasks: ['read'], otherTasks: ['total', 'report'] });
  await worker.send(read);
  await worker.idle();
  await using python = await startPython(worker.aws.env);
  const records = (await worker.sent('total')).map(({ record }): SqsRecord => record);
  expect(await python.handler({ Records: records }, {} as never, undefined as never)).toEqual({
    batchItemFailures: [],
  });
  const [sent] = await worker.sent('report');
  const message: string = JSON.parse(sent?.record.body ?? '').Message;
  const { bucket: Bucket, key: Key } = parsePointer(pointerIn(message));
  const { Body } = await worker.aws.s3.send(new GetObjectCommand({ Bucket, Key }));
  return { message, object: (await Body?.transformToString()) ?? '' };
}

// Without Python, the first test shows that the recorded texts are read.
if (hasPython) {
  test('the Python worker writes what was recorded', async () => {
    const { message, object } = await messageOfPython();
    expect(message.replace(pointerIn(message), pointerIn(recorded.message))).toBe(recorded.message);
    // As values, since Python lists the members of a set in any order.
    expect(ajson.loads(object)).toEqual(ajson.loads(recorded.object));
  });

  test('a message that the Python worker cannot run fails alone', async () => {
    await using worker = await testWorker(handler, { tasks: ['read'], otherTasks: ['total'] });
    await worker.send(read);
    await worker.idle();
    const [good] = await worker.sent('total');
    await using python = await startPython({ ...worker.aws.env });
    const bad = { ...good?.record, messageId: 'bad', body: '{"Message":"{}"}' } as SqsRecord;
    const answer = await python.handler({ Records: [bad] }, {} as never, undefined as never);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'bad' }] });
  });

  test('the command runs the chain', async () => {
    expect(await runExample('polyglot')).toContain('20.29 in Bergen and Oslo until 2026-01-31');
  });
}
