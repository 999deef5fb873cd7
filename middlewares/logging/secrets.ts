import { isError } from './errorText.ts';

/** Shown instead of a secret. */
export const redacted = '[redacted]';

/** A key with one of these words names a secret: `dbPassword`, `DATABASE_PASSWORD`, `set-cookie`. */
const secretWord =
  /^(?:pwd|pass|jwt|cvv|cvc|otp|cookies?|secrets?|tokens?|credentials?|mnemonic)$|password|passwd|passphrase|passcode|authorization|(?:token|secret|cookie)$|(?:api|access|secret|private|signing|encryption|account|master)key$|^secret(?:access|string)|receipthandle/;
/** The words before `key` that make it a secret: `apiKey`, but not `sortKey`. */
const keyPurposes = new Set([
  ...['api', 'access', 'secret', 'private', 'signing', 'encryption', 'shared', 'account', 'master'],
]);
/** A key that ends in one of these words describes a secret and does not contain it: `tokenType`, `secretName`. */
const descriptions = new Set([
  ...['type', 'name', 'arn', 'count', 'counts', 'length', 'size', 'limit', 'budget', 'expiry', 'expires'],
  ...['expiration', 'expired', 'ttl', 'age', 'at', 'version', 'policy', 'used', 'usage', 'status', 'enabled'],
  ...['required', 'error'],
]);

/** Longer keys are data, not names. */
const maxKeyLength = 64;

/** A cache, since most keys repeat on each line. */
const cache = new Map<string, KeyKind>();
const maxCached = 2000;

type KeyKind = 'plain' | 'secret' | 'count' | 'auth';

/**
 * Whether the value of a key must not be logged. The key is matched by its words, in any spelling: camelCase, snake_case,
 * kebab-case. A boolean, null or undefined is never a secret, nor is the number in `maxTokens` or `passed: 3`.
 *
 * @param isInSecret whether the object that has the key is itself the value of such a key, as in `credentials: { … }`
 */
export function isSecret(key: unknown, value: unknown, isInSecret = false): boolean {
  if (value === undefined || value === null || typeof value === 'boolean') return false;
  if (typeof value === 'function' || isError(value)) return false;
  if (typeof key !== 'string' || key.length > maxKeyLength) return isInSecret;
  const kind = kindOf(key);
  if (kind === 'secret') return true;
  if (kind === 'count') return isInSecret || !isNumeric(value);
  if (kind === 'auth') return isInSecret || typeof value === 'string';
  return (
    isInSecret && !/(?:^|[^A-Za-z])id$|Id$|ID$/.test(key) && !descriptions.has(wordsOf(key).at(-1) ?? '')
  );
}

function isNumeric(value: unknown): boolean {
  return typeof value === 'string'
    ? /^\d+$/.test(value)
    : typeof value === 'number' || typeof value === 'bigint';
}

function kindOf(key: string): KeyKind {
  let kind = cache.get(key);
  if (kind === undefined) {
    kind = classify(wordsOf(key));
    if (cache.size >= maxCached) cache.clear();
    cache.set(key, kind);
  }
  return kind;
}

function classify(words: readonly string[]): KeyKind {
  const last = words.at(-1) ?? '';
  if (descriptions.has(last)) return 'plain';
  const secrets = words.filter(
    (word, index) => secretWord.test(word) || isKeyWithPurpose(words, index) || isReceiptHandle(words, index),
  );
  if (secrets.some((word) => word !== 'tokens' && word !== 'pass')) return 'secret';
  if (secrets.length > 0) return 'count';
  return last === 'auth' ? 'auth' : 'plain';
}

/** The id of an access key is not a secret. */
function isKeyWithPurpose(words: readonly string[], index: number): boolean {
  return (
    /^keys?$/.test(words[index] ?? '') && keyPurposes.has(words[index - 1] ?? '') && words[index + 1] !== 'id'
  );
}

function isReceiptHandle(words: readonly string[], index: number): boolean {
  return words[index] === 'receipt' && words[index + 1] === 'handle';
}

/** `x-amzSecurity_Token2` has the words x, amz, security and token. */
function wordsOf(key: string): string[] {
  return key
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter(Boolean);
}

/** Texts without any of these are not searched further. */
const suspicious = /[=:]|eyJ|Bearer/;
/** The parameters that sign a URL. */
const signature =
  /([?&](?:X-Amz-(?:Signature|Credential|Security-Token)|Signature|AWSAccessKeyId)=)[^&#\s"']+/gi;
/** A parameter of a URL, a connection string or a command: `?access_token=…`, `Password=…;`. */
const parameter = /(^|[?&;,\s(])([\w.-]{1,64})(=)([^\s&#;,"')]+)/g;
/** A header in text. */
const header = /\b(authorization["']?\s*[:=]\s*["']?(?:[A-Za-z]{1,16} )?)[^\s"',]+/gi;
/** `https://user:password@host` */
const userInfo = /(\b[a-z][a-z\d+.-]{1,20}:\/\/[^\s:@/?#"']{0,256}:)[^\s@/?#"']{1,1024}(?=@)/gi;
const bearer = /\b(Bearer )[\w.~+/-]{6,}=*/g;
const jwt = /\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g;
/** A property in JSON text. The value ends at the end of a text that was cut. */
const property = /(")([\w.\- ]{1,64})("\s*:\s*)("(?:[^"\\]|\\.)*"?|-?\d[\d.eE+-]*)/g;
/** The same in JSON inside JSON. */
const escapedProperty = /(\\")([\w.\- ]{1,64})(\\"\s*:\s*)(\\"(?:[^"\\]|\\(?!").)*(?:\\")?|-?\d[\d.eE+-]*)/g;

/**
 * Redacts the secrets that can be recognised in a text: signatures, passwords and parameters of URLs, authorization headers,
 * bearer tokens, JWTs, and the properties of JSON whose keys name secrets.
 */
export function redactText(text: string): string {
  if (!suspicious.test(text)) return text;
  return text
    .replace(signature, `$1${redacted}`)
    .replace(userInfo, `$1${redacted}`)
    .replace(header, `$1${redacted}`)
    .replace(parameter, (match, before, key, sign, value) =>
      value !== redacted && isSecret(key, value) ? `${before}${key}${sign}${redacted}` : match,
    )
    .replace(bearer, `$1${redacted}`)
    .replace(jwt, redacted)
    .replace(property, redactProperty('"'))
    .replace(escapedProperty, redactProperty('\\"'))
    .replace(inspected, redactProperty("'"));
}

/** Redacts and cuts a text, and notes how many characters are missing. */
export function cutRedacted(text: string, max: number): string {
  if (text.length <= max) return redactText(text);
  return `${redactText(text.slice(0, max))}… ${text.length - max} more characters`;
}

/** A property as `util.inspect` shows it, such as those of objects that format themselves. */
const inspected = /(?<![\w.-])('?)([\w.-]{1,64})(\1(?::| =>) )('(?:[^'\\]|\\.)*'?)/g;

function redactProperty(quote: string) {
  return (match: string, open: string, key: string, colon: string, value: string) =>
    isSecret(key, value.startsWith(quote) ? value : Number(value))
      ? `${open}${key}${colon}${quote}${redacted}${quote}`
      : match;
}
