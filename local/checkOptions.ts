import { LocalOptionError } from '../core/errors.ts';

/** Throws unless every key of `options` is one of `known`. */
export function checkKeys(caller: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new LocalOptionError(`${caller}: there is no option ${key}; there are ${known.join(', ')}.`);
    }
  }
}

/** Throws unless `value` is a whole number from `least` to `most`. */
export function checkWhole(caller: string, name: string, value: unknown, least: number, most: number): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return;
  throw new LocalOptionError(
    `${caller}: ${name} must be a whole number from ${least} to ${most}, not ${show(value)}.`,
  );
}

/** Throws unless `value` is a string that `pattern` matches. */
export function checkText(caller: string, name: string, value: unknown, pattern: RegExp, rule: string): void {
  if (typeof value === 'string' && pattern.test(value)) return;
  throw new LocalOptionError(`${caller}: ${name} must be ${rule}, not ${show(value)}.`);
}

/** Throws unless `value` is true or false. */
export function checkFlag(caller: string, name: string, value: unknown): void {
  if (typeof value === 'boolean') return;
  throw new LocalOptionError(`${caller}: ${name} must be true or false, not ${show(value)}.`);
}

/** Throws unless `value` is a function. */
export function checkFunction(caller: string, name: string, value: unknown): void {
  if (typeof value === 'function') return;
  throw new LocalOptionError(`${caller}: ${name} must be a function, not ${show(value)}.`);
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
