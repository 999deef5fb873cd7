import { OptionError } from './errors.ts';

/** The test of an option, and the requirement in the words of the error. */
export interface OptionCheck {
  readonly expected: string;
  test(value: unknown): boolean;
}

type OptionChecks<T> = { readonly [K in keyof Required<T>]: OptionCheck };

/**
 * Checks the options of a function when it is called, so that a mistake does not show only at the first message. An
 * option that is undefined keeps its default. Unknown options are refused, since a misspelt one would be ignored.
 *
 * @param owner the name of the function, for the error
 * @param checks a check for each option
 * @param path the prefix of nested options, such as `backoff.`
 * @returns the options
 * @throws OptionError when an option is unknown or fails its check
 * @example
 * const { concurrency = 10 } = checkOptions('queued', options, { concurrency: whole(1) });
 */
export function checkOptions<T extends object>(
  owner: string,
  options: T,
  checks: OptionChecks<T>,
  path = '',
): T {
  if (typeof options !== 'object' || options === null) {
    throw new OptionError(`${owner}: the options must be an object, not ${show(options)}.`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(checks, name)) {
      const names = Object.keys(checks).join(', ') || 'none';
      throw new OptionError(`${owner}: there is no option ${show(path + name)}. The options are: ${names}.`);
    }
    if (value !== undefined) checkOption(owner, path + name, value, checks[name as keyof T]);
  }
  return options;
}

/**
 * Checks one value.
 *
 * @throws OptionError
 */
export function checkOption(owner: string, name: string, value: unknown, check: OptionCheck): void {
  if (check.test(value)) return;
  throw new OptionError(`${owner}: ${name} must be ${check.expected}, not ${show(value)}.`);
}

/** A whole number within bounds. */
export function whole(min: number, max: number = Number.MAX_SAFE_INTEGER): OptionCheck {
  const expected = `a whole number ${bounds(min, max)}`;
  return { expected, test: (value: unknown) => Number.isInteger(value) && inBounds(value, min, max) };
}

/** A finite number within bounds. `unit` such as "seconds" goes into the error. */
export function finite(unit: string, min: number, max: number = Number.MAX_VALUE): OptionCheck {
  const expected = `a number of ${unit} ${bounds(min, max)}`;
  return { expected, test: (value: unknown) => Number.isFinite(value) && inBounds(value, min, max) };
}

/** A duration above zero, where Infinity means never. */
export function duration(unit: string): OptionCheck {
  return {
    expected: `a number of ${unit} above 0; Infinity means never`,
    test: (value: unknown) => typeof value === 'number' && value > 0,
  };
}

export const flag: OptionCheck = {
  expected: 'true or false',
  test: (value: unknown) => typeof value === 'boolean',
};

export const func: OptionCheck = {
  expected: 'a function',
  test: (value: unknown) => typeof value === 'function',
};

export const object: OptionCheck = {
  expected: 'an object',
  test: (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

/** A string that matches a pattern. By default it must not be empty. */
export function text(expected: string, pattern: RegExp = /./): OptionCheck {
  return { expected, test: (value: unknown) => typeof value === 'string' && pattern.test(value) };
}

/** One of a few values. */
export function oneOf(...values: readonly string[]): OptionCheck {
  return { expected: values.join(' or '), test: (value: unknown) => values.includes(value as string) };
}

/** An object with a method. `what` is its description in the error. */
export function withMethod(method: string, what: string): OptionCheck {
  return {
    expected: `${what}, which has the method ${method}()`,
    test: (value: unknown) => typeof (value as Record<string, unknown> | null)?.[method] === 'function',
  };
}

/** A list whose items pass a check. */
export function listOf(check: OptionCheck): OptionCheck {
  return {
    expected: `a list, each item ${check.expected}`,
    test: (value: unknown) => Array.isArray(value) && value.every((item) => check.test(item)),
  };
}

/** Any of several checks. */
export function either(...checks: readonly OptionCheck[]): OptionCheck {
  return {
    expected: checks.map(({ expected }) => expected).join(', or '),
    test: (value: unknown) => checks.some((check) => check.test(value)),
  };
}

function bounds(min: number, max: number): string {
  return max >= Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
}

function inBounds(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && value >= min && value <= max;
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value).slice(0, 80);
}
