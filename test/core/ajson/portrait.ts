import { AlgObject, Datetime, Decimal, FrozenSet, Tuple } from '../../../core/ajson/index.ts';

/** Describes a value in full as one line of text: kinds, digits, order, own keys. */
export function portrait(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  if (typeof value !== 'object' || value === null) return String(value);
  const kind = Object.getPrototypeOf(value)?.constructor.name;
  const list = (items: Iterable<unknown>) => `${kind}(${Array.from(items, portrait).join()})`;
  if (value instanceof Datetime) return `${kind} ${value.getTime()} ${value.microseconds}`;
  if (value instanceof Date) return `${kind} ${value.getTime()}`;
  if (value instanceof Decimal || value instanceof URL) return `${kind} ${value}`;
  if (value instanceof Tuple || value instanceof FrozenSet || value instanceof Set) return list(value);
  if (value instanceof Map || value instanceof Uint8Array || Array.isArray(value)) return list(value);
  const members = Object.entries(value instanceof AlgObject ? value.toJson() : value);
  if (value instanceof Error) members.push(['message', value.message], ['cause', value.cause]);
  return `${kind}{${members.map(([key, member]) => `${JSON.stringify(key)}:${portrait(member)}`)}}`;
}
