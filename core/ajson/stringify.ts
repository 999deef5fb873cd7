import type { Writing } from './toWire.ts';

const WORDS: Readonly<Record<string, string>> = { '0e1': 'Infinity', '0e2': '-Infinity', '0e3': 'NaN' };

/** The text of what `toWire` made. */
export function stringify(writing: Writing, wire: unknown): string {
  const text = writing.polluted ? bareText(wire) : JSON.stringify(wire);
  // Strings are matched too, so that nothing within them is.
  return writing.words ? text.replace(/"(?:[^"\\]|\\.)*"|0e[123]/g, (found) => WORDS[found] ?? found) : text;
}

/** The text where `JSON.stringify` would obey what someone gave to all objects. */
function bareText(wire: unknown): string {
  if (typeof wire !== 'object' || wire === null || 'rawJSON' in wire) return JSON.stringify(wire);
  if (Array.isArray(wire)) return `[${Array.from(wire, bareText)}]`;
  const members = Object.entries(wire).filter(([, value]) => value !== undefined);
  return `{${members.map(([key, value]) => `${JSON.stringify(key)}:${bareText(value)}`)}}`;
}
