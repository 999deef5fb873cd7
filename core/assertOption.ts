import { OptionError } from './errors.ts';

/** Refuses a bad option where a function is called, not when the first message comes. */
export function assertOption(ok: unknown, owner: string, option: string, expected: string): asserts ok {
  if (!ok) throw new OptionError(`${owner}: ${option} must be ${expected}.`);
}
