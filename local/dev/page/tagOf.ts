/** A value as the page shows it. */
export interface ShownValue {
  /** The kind, which sets the colour. */
  kind: 'text' | 'number' | 'word' | 'date' | 'list' | 'object' | 'class' | 'pointer' | 'raw';
  /** The class or kind of a tag: `datetime`, `set`, `Order`. */
  label?: string;
  /** The module of a class. */
  module?: string;
  /** The text of a value without members. */
  text?: string;
  /** The members. A member of a list or a set has no key that is worth showing. */
  members?: readonly (readonly [key: string | undefined, value: unknown])[];
  /** The pointer to an object. */
  pointer?: string;
}

/** Describes a value of wire text, in which tags are tags. A tag that is malformed is shown as the object that it is. */
export function tagOf(value: unknown): ShownValue {
  if (typeof value === 'string') return { kind: 'text', text: value };
  if (typeof value === 'number' || typeof value === 'bigint') return { kind: 'number', text: String(value) };
  if (typeof value !== 'object' || value === null) return { kind: 'word', text: String(value) };
  if (Array.isArray(value)) return { kind: 'list', members: value.map((item) => [undefined, item]) };
  return readTag(value as Fields) ?? { kind: 'object', members: Object.entries(value) };
}

type Fields = Readonly<Record<string, unknown>>;

function readTag(fields: Fields): ShownValue | undefined {
  if (!Object.hasOwn(fields, '_alg_class') || !Object.hasOwn(fields, 'value')) return undefined;
  const { _alg_class: label, value } = fields;
  const module = Object.hasOwn(fields, '_alg_module') ? fields['_alg_module'] : undefined;
  if (typeof label !== 'string') return undefined;
  switch (label) {
    case 'datetime':
      return readDatetime(value);
    case 'decimal':
      return typeof value === 'string' ? { kind: 'number', label, text: value } : undefined;
    case 'set':
    case 'frozenset':
    case 'tuple':
      return Array.isArray(value)
        ? { kind: 'list', label, members: value.map((item) => [undefined, item]) }
        : undefined;
  }
  if (module === undefined) {
    if (label === 'undefined') return { kind: 'word', text: 'undefined' };
    if (label === 'URL' && typeof value === 'string') return { kind: 'text', label, text: value };
    if (label === 'Uint8Array' && typeof value === 'string') return { kind: 'raw', label, text: value };
    if (label === 'Map' && Array.isArray(value)) return { kind: 'object', label, members: value.map(pairOf) };
  }
  if (label === 'StoredData') {
    const { pointer } = Object(value) as Fields;
    if (typeof pointer === 'string') return { kind: 'pointer', label, text: pointer, pointer };
  }
  const shown = tagOf(value);
  const isBare = !shown.label && (shown.kind === 'object' || shown.kind === 'list');
  return {
    ...(isBare ? shown : { members: [['value', value] as const] }),
    kind: 'class',
    label,
    ...(typeof module === 'string' && { module }),
  };
}

/** A member of a Map. A key that is not a text is shown as JSON. */
function pairOf(pair: unknown): readonly [string | undefined, unknown] {
  if (!Array.isArray(pair) || pair.length !== 2) return [undefined, pair];
  const [key, value] = pair as [unknown, unknown];
  return [typeof key === 'string' ? key : jsonOf(key), value];
}

function jsonOf(value: unknown): string {
  return (
    JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part)) ?? String(value)
  );
}

/** Seconds since 1970 as a date, with the microseconds. */
function readDatetime(value: unknown): ShownValue | undefined {
  const { tz, timestamp } = Object(value) as Fields;
  if (typeof timestamp !== 'number') return undefined;
  const micros = Math.round(timestamp * 1e6);
  const date = new Date(Math.floor(micros / 1000));
  if (Number.isNaN(date.getTime())) return undefined;
  const rest = String(((micros % 1000) + 1000) % 1000).padStart(3, '0');
  const iso = date.toISOString().replace('Z', rest === '000' ? 'Z' : `${rest}Z`);
  const zone = tz === 'UTC' ? '' : typeof tz === 'string' ? ` (${tz})` : ' (no zone)';
  return { kind: 'date', label: 'datetime', text: iso + zone };
}
