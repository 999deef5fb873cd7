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
/** How deep objects may stand in each other in JSON, which is written by recursion. */
const maxDepth = 500;

/** An object on the way. */
interface Place {
  readonly value: object;
  /** How deep it stands, where it stands highest. */
  readonly depth: number;
  /** The first is where it was found. */
  readonly parents: Place[];
  fields: Entry[];
  /** What is shown in its place, where that is not itself. */
  copy: object | string | undefined;
}

interface Entry {
  readonly field: Field;
  /** That of the object in the field. */
  place: Place | undefined;
  /** Whether the object was found in another field before. */
  readonly isRepeated: boolean;
}

/**
 * Takes secrets out of what is about to be logged: the secret parts of credentials, passwords, tokens, the signatures of
 * URLs, in whatever objects, errors and maps they stand. What has none is given back as it is, and nothing is changed
 * in place. Each object is looked into once, however many others refer to it; what is there beyond 50,000 is left out. So
 * is each further reference to an object where JSON, which writes it anew each time, would grow past that. Never throws.
 *
 * @param as how the value is going to be shown
 */
export function hideSecrets<T>(value: T, as: ShownAs = 'json'): T {
  if (isPlainLine(value, as)) return value;
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
  const look = (field: Field, parent: Place): Entry => {
    const { key, item, shown } = field;
    if (item !== undefined && isSecret(key)) replace(field, hidden, parent);
    else if (typeof shown === 'string') {
      const text = hideSignatures(shown);
      if (text !== shown || (text === unreadable && item !== text)) replace(field, text, parent);
    } else if (typeof shown === 'object' && shown !== null) {
      const found = places.get(shown);
      if (found || places.size < maxObjects) {
        const place = found ?? newPlace(shown, parent.depth + 1);
        places.set(shown, place);
        place.parents.push(parent);
        return { field, place, isRepeated: found !== undefined };
      }
      replace(field, leftOut, parent);
    }
    return { field, place: undefined, isRepeated: false };
  };
  const open = (place: Place) => {
    const fields = readFields(place.value, as, known);
    if (!fields) return change(place, unreadable);
    place.fields = fields.map((field) => look(field, place));
  };
  /** Leaves of a place what is written elsewhere, or too deep. */
  const prune = (place: Place) => {
    for (const entry of place.fields) {
      if (!entry.isRepeated && (entry.place?.depth ?? 0) <= maxDepth) continue;
      replace(entry.field, leftOut, place);
      entry.place = undefined;
    }
  };

  const root = newPlace([value], 0);
  open(root);
  // More are added on the way.
  for (const place of places.values()) open(place);
  if (as === 'json' && isTooMuch(root)) for (const place of places.values()) prune(place);
  for (const { parents } of changed)
    for (const parent of parents) if (parent.copy === undefined) change(parent);
  for (const { copy, fields } of changed) {
    if (typeof copy !== 'object') continue;
    for (const { field, place } of fields) putField(copy, field, place?.copy ?? field.item);
  }
  return root.copy === undefined ? value : (root.copy as [T])[0];
}

/** Whether there is nothing to hide or to look into, as in most lines: that is seen many times as fast. */
function isPlainLine(value: unknown, as: ShownAs): boolean {
  if (typeof value !== 'object' || value === null) return !mayHoldSignature(value);
  // What is shown as text has its getters left alone.
  if (as !== 'json' || Object.getPrototypeOf(value) !== Object.prototype) return false;
  try {
    for (const key of Object.keys(value)) {
      const item: unknown = value[key as never];
      const isObject = (typeof item === 'object' && item !== null) || typeof item === 'function';
      if (isObject || isSecret(key) || mayHoldSignature(item)) return false;
    }
    return true;
  } catch {
    return false;
  }
}

function mayHoldSignature(value: unknown): boolean {
  return typeof value === 'string' && value.includes('=');
}

function newPlace(value: object, depth: number): Place {
  return { value, depth, parents: [], fields: [], copy: undefined };
}

/** Whether JSON would be too large or too deep. An object inside itself is left out by Powertools. */
function isTooMuch(root: Place): boolean {
  let written = 0;
  const around = new Set<Place>();
  const write = (place: Place): boolean => {
    if (around.has(place)) return false;
    written += 1;
    if (written > maxObjects + 1 || around.size > maxDepth) return true;
    around.add(place);
    const tooMuch = place.fields.some((entry) => entry.place !== undefined && write(entry.place));
    around.delete(place);
    return tooMuch;
  };
  return write(root);
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
