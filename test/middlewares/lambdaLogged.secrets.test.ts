import { Logger } from '@aws-lambda-powertools/logger';
import { expect, test } from '@jest/globals';
import middy from '@middy/core';
import { lambdaLogged, queued, sqsSnsUnwrap } from '../../middlewares/index.ts';
import { capturedLines } from '../support/capturedLines.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

/** Runs one task. Returns its lines and whether it failed. */
async function run(work: (logger: Logger) => unknown, options: object = {}, record?: object) {
  const logger = new Logger({ serviceName: 'shop' });
  const { texts, lines } = capturedLines(logger);
  const handler = middy(queued(async () => work(logger)))
    .use(lambdaLogged({ logger, ...options }))
    .use(sqsSnsUnwrap());
  const outcome = await handler(
    { Records: [record ?? sqsRecord({ task_name: 'work' })] } as never,
    lambdaContext() as never,
  );
  const [settled] = outcome as unknown as PromiseSettledResult<unknown>[];
  return { lines: lines(), text: texts.join('\n'), status: settled?.status };
}

class AxiosHeaders {
  constructor(headers: object) {
    Object.assign(this, headers);
  }
}

class User {
  name = 'Ann';
  password = 'needle';
  readonly #id = 7;
  get id() {
    return this.#id;
  }
}

class Account {
  readonly #password = 'needle';
  toJSON() {
    return { owner: 'Ann', password: this.#password };
  }
}

const withHeaders = (headers: object) => Object.assign(new Error('request failed'), { config: { headers } });
const withPassword = () => Object.assign(new Error('inner'), { password: 'needle' });
const authorization = { Authorization: 'Bearer needle' };

test.each<[string, unknown, string]>([
  ['an instance', new User(), "User { name: 'Ann', password: '[redacted]' }"],
  ['a map', new Map([['password', 'needle']]), "Map(1) { 'password' => '[redacted]' }"],
  ['a set', new Set([{ apiKey: 'needle' }]), "Set(1) { { apiKey: '[redacted]' } }"],
  ['headers', new Headers(authorization), "Headers { authorization: '[redacted]' }"],
  ['a proxy', new Proxy({ password: 'needle' }, {}), "{ password: '[redacted]' }"],
  [
    'an error',
    withHeaders(new AxiosHeaders(authorization)),
    "headers: AxiosHeaders { Authorization: '[redacted]' }",
  ],
  ['a cause', new Error('outer', { cause: withPassword() }), "password: '[redacted]'"],
  ['errors', new AggregateError([withPassword()]), "password: '[redacted]'"],
  ['a signature', new Error('https://x?Signature=needle'), 'https://x?Signature=[redacted]'],
])('redacts secrets in the console: %s', async (_, value, shown) => {
  const { text, lines } = await run(() => console.error('seen:', value));
  expect(text).not.toContain('needle');
  expect(lines[0]?.message).toContain(shown);
  expect(lines[0]?.message).toContain('seen:');
});

test.each<[string, unknown, object]>([
  ['an instance', new User(), { name: 'Ann', password: '[redacted]' }],
  ['the result of toJSON', new Account(), { owner: 'Ann', password: '[redacted]' }],
  [
    'an error',
    withHeaders(new AxiosHeaders(authorization)),
    { config: { headers: { Authorization: '[redacted]' } } },
  ],
  ['a cause', new Error('outer', { cause: new User() }), { cause: { password: '[redacted]' } }],
  [
    'an error with a toJSON',
    Object.assign(withHeaders(authorization), {
      toJSON() {
        return { name: 'AxiosError', config: (this as unknown as { config: object }).config };
      },
    }),
    { name: 'AxiosError', config: { headers: { Authorization: '[redacted]' } } },
  ],
  [
    'bytes',
    { secretAccessKey: Buffer.from('needle'), body: Buffer.from('ok') },
    { secretAccessKey: '[redacted]' },
  ],
])('redacts secrets in a line: %s', async (_, value, shown) => {
  const { text, lines } = await run((logger) => logger.info('seen', { value }));
  expect(text).not.toContain('needle');
  expect(lines[0]?.['value']).toMatchObject(shown);
});

test('redacts signatures in a message', async () => {
  const { text } = await run((logger) => logger.info('GET https://x?X-Amz-Signature=needle&y=1'));
  expect(text).toContain('GET https://x?X-Amz-Signature=[redacted]&y=1');
});

test('redacts signatures in a short field', async () => {
  const { text } = await run((logger) => logger.info('get', { url: 'https://x?X-Amz-Signature=needle&y=1' }));
  expect(text).toContain('https://x?X-Amz-Signature=[redacted]&y=1');
});

test('redacts a cyclic object without changing it', async () => {
  const user: Record<string, unknown> = { password: 'needle', name: 'Ann' };
  user['self'] = { user, list: [user] };
  const { text, lines } = await run((logger) => {
    console.info(user);
    logger.info('seen', { user });
  });
  expect(text).not.toContain('needle');
  expect(lines[0]?.message).toContain('[Circular *1]');
  expect(lines[1]?.['user']).toEqual({
    password: '[redacted]',
    name: 'Ann',
    self: { user: '[circular]', list: ['[circular]'] },
  });
  expect(user['password']).toBe('needle');
});

test('bounds the work: objects that all refer to each other, 100,000 objects, 20,000 levels', async () => {
  const nodes = Array.from({ length: 30 }, (_, id): Record<string, unknown> => ({ id }));
  for (const node of nodes) for (const other of nodes) node[`to${other['id']}`] = other;
  const many = Array.from({ length: 100_000 }, () => ({ password: 'needle' }));
  let deep: object = { password: 'needle' };
  for (let depth = 0; depth < 20_000; depth += 1) deep = { deep };
  const start = performance.now();
  const { text, status, lines } = await run((logger) => {
    console.info(many, deep);
    logger.info('seen', { many });
    console.log('%s', nodes[0]);
    logger.info('seen', { node: nodes[0], deep });
    throw Object.assign(new Error('broken'), { node: nodes[0], deep });
  });
  expect(performance.now() - start).toBeLessThan(5000);
  expect(status).toBe('rejected');
  expect(text).not.toContain('needle');
  expect(lines[3]?.['node']).toMatchObject({ id: 0, to1: { id: 1, to0: '[circular]' }, to29: { id: 29 } });
  const { error } = lines[4] as unknown as { error: object };
  expect(error).toMatchObject({ message: 'broken', node: { to1: { id: 1 } }, deep: { deep: { deep: {} } } });
});

const throwing = () => {
  throw new Error('no');
};
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const getter = () => ({
  get x() {
    return throwing();
  },
});

test.each<[string, unknown, string]>([
  ['a getter that throws', getter(), 'seen { x: [Getter] }'],
  ['a revoked proxy', revoked(), 'seen [unreadable]'],
  ['a nested revoked proxy', { a: { b: revoked() } }, "seen { a: { b: '[unreadable]' } }"],
  ['a proxy that throws', new Proxy({}, { ownKeys: throwing }), 'seen [unreadable]'],
  [
    'a custom inspection that throws',
    { [Symbol.for('nodejs.util.inspect.custom')]: throwing },
    'seen [unreadable]',
  ],
])('an unreadable value in the console does not fail the task: %s', async (_, value, shown) => {
  const { lines, status } = await run(() => {
    console.log('seen', value);
    console.log(value);
  });
  expect(status).toBe('fulfilled');
  expect(lines.map(({ message }) => message)).toEqual([shown, shown.slice(5), 'batch done']);
});

test.each<[string, () => unknown, unknown]>([
  ['a getter that throws', getter, { x: '[unreadable]' }],
  ['a toJSON that throws', () => ({ toJSON: throwing }), '[unreadable]'],
  ['a revoked proxy', revoked, '[unreadable]'],
  [
    'an error',
    () => Object.defineProperty(new Error('bad'), 'x', { enumerable: true, get: throwing }),
    { message: 'bad' },
  ],
])('an unreadable value in a line does not fail the task: %s', async (_, make, shown) => {
  const { lines, status } = await run((logger) => logger.info('seen', { value: make(), list: [make()] }));
  expect(status).toBe('fulfilled');
  const expected = typeof shown === 'object' ? expect.objectContaining(shown as object) : shown;
  expect(lines[0]).toMatchObject({ value: expected, list: [expected] });
});

const redacted = { logEvent: true, redact: ['task_kwargs.card'] };
const card = { task_name: 'work', task_kwargs: { card: '4111' } };

test('redacts a path even if the task has a key Message', async () => {
  const { text, lines } = await run(() => {}, redacted, sqsRecord({ ...card, Message: 'x' }, { raw: true }));
  expect(text).not.toContain('4111');
  expect(lines[0]).toMatchObject({
    event: { Records: [{ body: { task_name: 'work', task_kwargs: { card: '[redacted]' }, Message: 'x' } }] },
  });
});

test('with redact, logs only the length of a message that is not JSON', async () => {
  const broken = `${JSON.stringify(card)},`;
  const raw = { ...sqsRecord(card, { raw: true }), body: broken };
  const envelope = { Type: 'Notification', TopicArn: 'arn', Message: broken };
  for (const record of [raw, { ...raw, body: JSON.stringify(envelope) }]) {
    const { text } = await run(() => {}, redacted, record);
    expect(text).not.toContain('4111');
    expect(text).toContain(`[redacted: ${broken.length} characters that are not JSON]`);
    expect((await run(() => {}, { logEvent: true }, record)).text).toContain('4111');
  }
});
