import { describe, expect, test } from '@jest/globals';
import { cutRedacted, isSecret, redactText } from '../../../middlewares/logging/secrets.ts';

const isHidden = (key: string, value: unknown = 'x') => isSecret(key, value);
const isHiddenInSecret = (key: string, value: unknown = 'x') => isSecret(key, value, true);

describe('a key names a secret', () => {
  test.each([
    ...['apikey', 'accesskey', 'secretkey', 'privatekey', 'signingkey', 'encryptionkey', 'accountkey'],
    ...['masterkey', 'api_keys', 'shared_key', 'account_key', 'master_key', 'encryption_key', 'signing_key'],
    ...['access_key', 'private_key', 'otp', 'cvc', 'mnemonic', 'passcode', 'secretstring', 'sessioncookie'],
    ...['receipt_handle', '_token_', 'token__2'],
  ])('%s', (key) => {
    expect(isHidden(key)).toBe(true);
  });

  test.each([
    ...['type', 'name', 'arn', 'count', 'counts', 'length', 'size', 'limit', 'budget', 'expiry', 'expires'],
    ...[
      'expiration',
      'expired',
      'ttl',
      'age',
      'at',
      'version',
      'policy',
      'used',
      'usage',
      'status',
      'enabled',
    ],
    ...['required', 'error'],
  ])('but not if its last word is %s', (word) => {
    expect(isHidden(`token_${word}`)).toBe(false);
    expect(isHidden(`token_${word}_`)).toBe(false);
    expect(isHiddenInSecret(word)).toBe(false);
  });

  test.each([
    ...['compass', 'passport', 'pwdx', 'tokenizer', 'secretary', 'cookiecutter', 'accesskeyid', 'api_turkey'],
    ...['api_keyboard', 'sort_key', 'receipt_number', 'door_handle', 'access_key_id', 'hotpot'],
  ])('but not %s', (key) => {
    expect(isHidden(key)).toBe(false);
  });

  test('if it has at most 64 characters', () => {
    const keyOf = (length: number) => 'password'.padStart(length, '_');
    expect([isHidden(keyOf(64)), isHidden(keyOf(65))]).toEqual([true, false]);
    expect(isHiddenInSecret(keyOf(65))).toBe(true);
  });
});

describe('a value', () => {
  test('is not a secret if it is a function or an error', () => {
    expect(isHidden('token', () => 1)).toBe(false);
    expect(isHidden('token', new Error('expired'))).toBe(false);
  });

  test('of "tokens" is a secret unless it is a number', () => {
    const values = [12, 12n, '12', 'a12', '12a', {}];
    expect(values.map((value) => isHidden('tokens', value))).toEqual([false, false, false, true, true, true]);
    expect([1.5, -1].map((value) => isHidden('tokens', value))).toEqual([false, false]);
    expect([isHidden('LLMTokens'), isHidden('LLMTokens', 12)]).toEqual([true, false]);
    expect(isHiddenInSecret('tokens', 12)).toBe(true);
  });

  test('of "auth" is a secret if it is a text, or in a secret', () => {
    expect([isHidden('auth'), isHidden('auth', 5), isHiddenInSecret('auth', 5)]).toEqual([true, false, true]);
  });

  test.each(['id', 'user_id', 'userId', 'userID'])('in a secret is shown if its key is the id %s', (key) => {
    expect(isHiddenInSecret(key)).toBe(false);
  });

  test.each(['id_card', 'userIdle', 'userIDs', 'paid', 'value'])('in a secret is hidden: %s', (key) => {
    expect(isHiddenInSecret(key)).toBe(true);
    expect(isHidden(key)).toBe(false);
  });
});

test.each([
  ['Bearer abcdefgh', 'Bearer [redacted]'],
  ['Bearer abc-efg==, more', 'Bearer [redacted], more'],
  ['Bearer of news', 'Bearer of news'],
  ['got eyJhbGciOiJI.eyJzdWIiOiJ', 'got [redacted]'],
  ['password=needle', 'password=[redacted]'],
  ['with token=needle here', 'with token=[redacted] here'],
  ['token=[redacted]', 'token=[redacted]'],
  ["'Authorization'='Basic needle'", "'Authorization'='Basic [redacted]'"],
  ['authorization : Basic needle', 'authorization : Basic [redacted]'],
  ['authorization:  needle', 'authorization:  [redacted]'],
  ['authorization:needle', 'authorization:[redacted]'],
  ['s3://key:needle@bucket', 's3://key:[redacted]@bucket'],
  ['{"password":1234,"n":1}', '{"password":"[redacted]","n":1}'],
  ['{"password":-12.5e+3}', '{"password":"[redacted]"}'],
  ['{"tokens":"needle', '{"tokens":"[redacted]"'],
  ['{"tokens":12,"n":1}', '{"tokens":12,"n":1}'],
  ['{\\"password\\":1234,\\"n\\":1}', '{\\"password\\":\\"[redacted]\\",\\"n\\":1}'],
  ['{\\"password\\":-1.5}', '{\\"password\\":\\"[redacted]\\"}'],
  ['{\\"password\\":\\"needle', '{\\"password\\":\\"[redacted]\\"'],
  ["{ password: 'needle", "{ password: '[redacted]'"],
])('a text is shown without its secrets: %s', (text, shown) => {
  expect(redactText(text)).toBe(shown);
});

test('a text is cut only if it is longer than the maximum', () => {
  expect(cutRedacted('abc', 3)).toBe('abc');
  expect(cutRedacted('abcd', 3)).toBe('abc… 1 more characters');
  expect(cutRedacted('token=needle', 11)).toBe('token=[redacted]… 1 more characters');
});
