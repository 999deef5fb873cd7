import { emptyLike, type Field, putField, readFields, type ShownAs, unreadable } from './readFields.ts';

/** What stands in a secret's place. */
export const hidden = '[hidden]';
/** What stands in the place of what was not looked into. */
const leftOut = '[left out]';

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

/** How many objects are looked into for one line. */
const maxObjects = 50_000;

/** An object on the way. */
interface Place {
  readonly value: object;
  readonly parents: Place[];
  fields: { field: Field; place: Place | undefined }[];
  /** What is shown in its place, where that is not itself. */
  copy: object | string | undefined;
}

/**
 * Takes secrets out of what is about to be logged: the secret parts of credentials, passwords, tokens, the signatures of
 * URLs, in whatever objects, errors and maps they stand. What has none is given back as it is, and nothing is changed
 * in place. Each object is looked into once, however many others refer to it; what is there beyond 50,000 is left out.
 * Never throws.
 *
 * @param as how the value is going to be shown
 */
export function hideSecrets<T>(value: T, as: ShownAs = 'json'): T {
  const places = new Map<object, Place>();
  const known = new Map<object, unknown>();
  const changed: Place[] = [];

  const change = (place: Place, copy: object | string = emptyLike(place.value, as)) => {
    place.copy = copy;
    changed.push(place);
  };
  const replace = (field: Field, shown: unknown, parent: Place) => {
    field.item = shown;
    if (parent.copy === undefined) change(parent);
  };
  /** Looks at a field, and gives the place of the object in it. */
  const look = (field: Field, parent: Place): Place | undefined => {
    const { key, item, shown } = field;
    if (item !== undefined && isSecret(key)) replace(field, hidden, parent);
    else if (typeof shown === 'string') {
      const text = hideSignatures(shown);
      if (text !== shown || (text === unreadable && item !== text)) replace(field, text, parent);
    } else if (typeof shown === 'object' && shown !== null) {
      const place = places.get(shown) ?? { value: shown, parents: [], fields: [], copy: undefined };
      if (places.size === maxObjects && !places.has(shown)) replace(field, leftOut, parent);
      else {
        places.set(shown, place);
        place.parents.push(parent);
        return place;
      }
    }
    return undefined;
  };
  const open = (place: Place) => {
    const fields = readFields(place.value, as, known);
    if (!fields) return change(place, unreadable);
    place.fields = fields.map((field) => ({ field, place: look(field, place) }));
  };

  const root: Place = { value: [value], parents: [], fields: [], copy: undefined };
  open(root);
  // More are added on the way.
  for (const place of places.values()) open(place);
  for (const { parents } of changed)
    for (const parent of parents) if (parent.copy === undefined) change(parent);
  for (const { copy, fields } of changed) {
    if (typeof copy !== 'object') continue;
    for (const { field, place } of fields) putField(copy, field, place?.copy ?? field.item);
  }
  return root.copy === undefined ? value : (root.copy as [T])[0];
}

/** Takes the signatures of URLs out of a text. */
export function hideSignatures(text: string): string {
  return text.includes('=') ? text.replace(signature, `$1${hidden}`) : text;
}

function isSecret(key: unknown): boolean {
  return (
    typeof key === 'string' &&
    key.length >= 6 &&
    key.length <= 24 &&
    secretKeys.has(key.replace(/[_-]/g, '').toLowerCase())
  );
}
