import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { boundedCopy } from '../../middlewares/logging/boundedCopy.ts';
import { loggedEvent } from '../../middlewares/logging/loggedEvent.ts';
import { parseRedactPath, type RedactPath } from '../../middlewares/logging/redact.ts';
import { isSecret, redactText } from '../../middlewares/logging/secrets.ts';
import { sqsRecord } from '../support/sqsRecord.ts';

test.each([
  ...[
    'password',
    'dbPassword',
    'DATABASE_PASSWORD',
    'PGPASSWORD',
    'db-password-2',
    'passwd',
    'pwd',
    'smtp_pass',
  ],
  ...[
    'passphrase',
    'token',
    'authToken',
    'csrf-token',
    'accesstoken',
    'TaskToken',
    'SessionToken',
    'GITHUB_TOKEN',
  ],
  ...[
    'secret',
    'clientSecret',
    'SecretString',
    'secretKey',
    'secretAccessKey',
    'AWS_SECRET_ACCESS_KEY',
    'cookie',
  ],
  ...[
    'Set-Cookie',
    'cookies',
    'jwt',
    'apiKey',
    'x-api-key',
    'API_KEY',
    'APIKey',
    'apikey',
    'Authorization',
    'auth',
  ],
  ...[
    'proxy-authorization',
    'credential',
    'credentials',
    'privateKey',
    'private_key_pem',
    'signingKey',
    'cvv',
  ],
  ...['receiptHandle', 'X-Amz-Security-Token', 'encryptionKey', 'oauth2Token', 'tokens', 'passwordHash'],
])('secret: %s', (key) => {
  expect(isSecret(key, 'needle')).toBe(true);
});

test.each([
  ...[
    'author',
    'authority',
    'keyboard',
    'monkey',
    'key',
    'sortKey',
    'partition_key',
    'session_count',
    'passenger',
  ],
  ...[
    'compass',
    'secretary',
    'tokenizer',
    'cookiecutter',
    'accessKeyId',
    'keyId',
    'tokenType',
    'secretName',
    'secretArn',
  ],
  ...['passwordLength', 'tokenExpiresAt', 'cookie_policy', 'authType', 'bypass', 'passed', 'pinned', ''],
])('not a secret: %s', (key) => {
  expect(isSecret(key, 'shown')).toBe(false);
});

test('flags, missing values and counts are not secrets; the number of a password is', () => {
  expect([true, false, null, undefined].map((value) => isSecret('password', value))).toEqual(
    Array(4).fill(false),
  );
  const counts: [string, unknown][] = [
    ['maxTokens', 100],
    ['tokens_used', 3],
    ['tokens', 12],
    ['totalTokens', '42'],
    ['pass', 3],
  ];
  expect(counts.filter(([key, value]) => isSecret(key, value))).toEqual([]);
  expect([isSecret('password', 1234), isSecret('otp', 123456), isSecret('tokens', ['a'])]).toEqual([
    true,
    true,
    true,
  ]);
});

test('finds secret keys in any spelling', () => {
  const fillers = ['database', 'user', 'my', 'x', 'old', 'new'];
  const spelling = fc.constantFrom<(all: string[]) => string>(
    (all) => all.join('_'),
    (all) => all.join('-').toUpperCase(),
    (all) => all.map((word, n) => (n === 0 ? word : word[0]?.toUpperCase() + word.slice(1))).join(''),
    (all) => all.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('.'),
  );
  const secret = fc.constantFrom(
    ['password'],
    ['token'],
    ['api', 'key'],
    ['secret'],
    ['private', 'key'],
    ['cookie'],
  );
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...fillers), { maxLength: 3 }),
      secret,
      spelling,
      (before, key, spell) => {
        expect(isSecret(spell([...before, ...key]), 'needle')).toBe(true);
      },
    ),
  );
});

test('redacts every value under a secret key, and keeps the shape', () => {
  const value = {
    credentials: {
      accessKeyId: 'AKIA1',
      user: 'needle',
      nested: { list: ['needle', 7] },
      expiration: 'soon',
      ok: true,
    },
    cookies: ['needle'],
    variables: [
      { name: 'DB_PASSWORD', value: 'needle' },
      { Key: 'token', Value: 'needle' },
      { name: 'city', value: 'Bern' },
    ],
    tokenError: new Error('expired'),
    sessions: [{ token: 'needle', id: 7 }],
  };
  const shown = JSON.stringify(boundedCopy(value));
  expect(shown).not.toContain('needle');
  expect(boundedCopy(value)).toMatchObject({
    credentials: {
      accessKeyId: 'AKIA1',
      user: '[redacted]',
      nested: { list: ['[redacted]', '[redacted]'] },
      expiration: 'soon',
      ok: true,
    },
    cookies: ['[redacted]'],
    variables: [{ name: 'DB_PASSWORD', value: '[redacted]' }, { Value: '[redacted]' }, { value: 'Bern' }],
    tokenError: { message: 'expired' },
    sessions: [{ id: 7 }],
  });
});

test.each([
  ['https://x?X-Amz-Signature=needle&y=1', 'https://x?X-Amz-Signature=[redacted]&y=1'],
  ['postgres://app:needle@db:5432/shop', 'postgres://app:[redacted]@db:5432/shop'],
  ['Authorization: Bearer needle-needle', 'Authorization: Bearer [redacted]'],
  ['got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJuZWVkbGUifQ.abc', 'got [redacted]'],
  ['sent {"user":"Ann","password":"nee\\"dle","n":1}', 'sent {"user":"Ann","password":"[redacted]","n":1}'],
  ['sent {"apiKey": "needle', 'sent {"apiKey": "[redacted]"'],
  ['{"pin":1,"cvv":"needle","maxTokens":5}', '{"pin":1,"cvv":"[redacted]","maxTokens":5}'],
  [
    '{"body":"{\\"password\\":\\"needle\\",\\"city\\":\\"Bern\\"}"}',
    '{"body":"{\\"password\\":\\"[redacted]\\",\\"city\\":\\"Bern\\"}"}',
  ],
  ['http://host:8080/a?b=c@d', 'http://host:8080/a?b=c@d'],
  ['key = value, a: b', 'key = value, a: b'],
  ['GET /a?access_token=needle&page=2', 'GET /a?access_token=[redacted]&page=2'],
  ['Server=db;User Id=app;Password=needle;', 'Server=db;User Id=app;Password=[redacted];'],
  ['authorization: Basic bmVlZGxl', 'authorization: Basic [redacted]'],
  ['maxTokens=5 author=Ann', 'maxTokens=5 author=Ann'],
  ["URL { password: 'nee\\'dle', host: 'x' }", "URL { password: '[redacted]', host: 'x' }"],
  ["{ 'set-cookie' => 'needle', city: 'Bern' }", "{ 'set-cookie' => '[redacted]', city: 'Bern' }"],
])('in a text: %s', (text, shown) => {
  expect(redactText(text)).toBe(shown);
});

test('redacting a text takes linear time', () => {
  for (const part of [
    '"',
    '"a":"',
    '\\"',
    'eyJ',
    'a:',
    '://',
    '"a" : ',
    '=',
    '?Signature=',
    'Bearer ',
    'a=',
    'authorization: ',
    'token=',
  ]) {
    const start = performance.now();
    redactText(part.repeat(16_384 / part.length));
    expect(performance.now() - start).toBeLessThan(500);
  }
});

const paths = (...all: string[]) => all.map((path) => parseRedactPath(path) as RedactPath);
const show = (event: unknown, ...all: string[]) =>
  JSON.stringify(boundedCopy(loggedEvent(event, paths(...all))));

test.each([['card'], ['Input.card'], ['task_kwargs.card'], ['Records[*].body.Message.Input.card']])(
  "redact reaches a state machine's Input: %s",
  (path) => {
    const Input = JSON.stringify({ card: '4111', password: 'needle', city: 'Bern' });
    const text = show({ Records: [sqsRecord({ Input, TaskToken: 'needle' })] }, path);
    expect(text).not.toMatch(/4111|needle/);
    expect(text).toContain('Bern');
  },
);

test.each([
  { sfn_context: { State: { Name: 'work' } }, payload: '{"card":"4111","password":"needle"}' },
  { task_name: 'work', task_kwargs: { card: '4111', body: '{"password":"needle"}' } },
  { httpMethod: 'POST', body: '{"card":"4111","nested":"{\\"token\\":\\"needle\\"}"}', cookies: ['needle'] },
])('opens JSON in the strings of a direct event: %j', (event) => {
  const text = show(event, 'card', 'task_kwargs.card', 'body.card');
  expect(text).not.toMatch(/4111|needle/);
});
