/** What stands in a secret's place. */
export const hidden = '[hidden]';

/** The keys whose values are never logged, with `_` and `-` left out. */
const secretKeys = new Set(
  [
    ['secretaccesskey', 'sessiontoken', 'securitytoken', 'awssessiontoken', 'awssecretaccesskey'],
    ['password', 'passwd', 'passphrase', 'privatekey', 'clientsecret', 'apikey', 'xapikey'],
    ['accesstoken', 'refreshtoken', 'idtoken', 'authorization', 'proxyauthorization', 'setcookie'],
    ['xamzsecuritytoken', 'receipthandle'],
  ].flat(),
);

/** What signs a URL. */
const signature =
  /([?&](?:X-Amz-(?:Signature|Credential|Security-Token)|Signature|AWSAccessKeyId)=)[^&#\s"']+/gi;

const maxDepth = 12;

/**
 * Takes secrets out of what is about to be logged: the secret parts of credentials, passwords, tokens, the signatures of
 * URLs. What has none is given back as it is, and nothing is changed in place.
 */
export function hideSecrets<T>(value: T): T {
  return hideIn(value, 0) as T;
}

/** Takes the signatures of URLs out of a text. */
export function hideSignatures(text: string): string {
  return text.includes('=') ? text.replace(signature, `$1${hidden}`) : text;
}

function hideIn(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return hideSignatures(value);
  if (typeof value !== 'object' || value === null || depth === maxDepth) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => hideIn(item, depth + 1));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isRecord(value)) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [key, item] of Object.entries(value)) {
    const shown = item !== undefined && isSecret(key) ? hidden : hideIn(item, depth + 1);
    if (shown === item) continue;
    copy ??= { ...value };
    copy[key] = shown;
  }
  return copy ?? value;
}

/** A plain object, or credentials of whatever class. */
function isRecord(value: object): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || 'secretAccessKey' in value;
}

function isSecret(key: string): boolean {
  return key.length >= 6 && key.length <= 24 && secretKeys.has(key.replace(/[_-]/g, '').toLowerCase());
}
