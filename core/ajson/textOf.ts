import type { Writing } from './write.ts';

/**
 * Stands for a number that `JSON.stringify` would spell otherwise. Only strings can have the same text: floats past 2^53
 * are among `numbers` themselves. It begins with a rare character and is short, for which V8 has its fastest search.
 */
const STAND_IN = -1e99;
const STAND_IN_TEXT = '-1e+99';

/** Notes how a number is spelled, and returns its stand-in. */
export function standIn(writing: Writing, text: string): number {
  writing.numbers.push(text);
  return STAND_IN;
}

/** The text of a value from `toWire`, with the numbers as they are spelled. */
export function textOf({ polluted, numbers }: Writing, wire: unknown): string {
  if (polluted) return exactText(wire, numbers.values());
  const text = JSON.stringify(wire);
  if (numbers.length === 0) return text;
  const parts = text.split(STAND_IN_TEXT);
  if (parts.length !== numbers.length + 1) return exactText(wire, numbers.values());
  return parts.reduce((whole, part, index) => whole + numbers[index - 1] + part);
}

/** The text where `JSON.stringify` would obey a polluted prototype, or a string looks like a stand-in. */
function exactText(wire: unknown, numbers: Iterator<string>): string {
  if (wire === STAND_IN) return String(numbers.next().value);
  if (typeof wire !== 'object' || wire === null) return JSON.stringify(wire);
  if (Array.isArray(wire)) return `[${Array.from(wire, (item) => exactText(item, numbers))}]`;
  const members = Object.entries(wire).filter(([, value]) => value !== undefined);
  return `{${members.map(([key, value]) => `${JSON.stringify(key)}:${exactText(value, numbers)}`)}}`;
}
