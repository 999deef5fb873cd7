import { isRawNumber, type Writing } from './toWire.ts';

/** The text of what `toWire` made. */
export function stringify({ polluted, words }: Writing, wire: unknown): string {
  return polluted || words ? ownText(wire) : JSON.stringify(wire);
}

/** The text where `JSON.stringify` would obey what someone gave to all objects, or write null for NaN. */
function ownText(wire: unknown): string {
  if (typeof wire === 'number') return String(wire);
  if (typeof wire !== 'object' || wire === null || isRawNumber(wire)) return JSON.stringify(wire);
  if (Array.isArray(wire)) return `[${Array.from(wire, ownText)}]`;
  const members = Object.entries(wire).filter(([, value]) => value !== undefined);
  return `{${members.map(([key, value]) => `${JSON.stringify(key)}:${ownText(value)}`)}}`;
}
