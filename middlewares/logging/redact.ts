import { redacted } from './secrets.ts';

/** The parts of a path. `*` is every key and every index. */
export type RedactPath = readonly string[];

/**
 * @param path such as `task_kwargs.card.number`, `task_kwargs.users[*].name`, `Records[0].body`
 * @returns its parts, or undefined when it is not a path
 */
export function parseRedactPath(path: string): RedactPath | undefined {
  const parts = path
    .replace(/^\$\.?/, '')
    .replace(/\[(\d+|\*)\]/g, '.$1')
    .split('.');
  if (parts[0] === '') parts.shift();
  return parts.length > 0 && parts.every((part) => part !== '' && !/[[\]]/.test(part)) ? parts : undefined;
}

/** A copy in which the values at the paths are redacted. Parts without such values are not copied. */
export function redact(value: unknown, paths: readonly RedactPath[]): unknown {
  if (paths.length === 0) return value;
  if (paths.some((path) => path.length === 0)) return redacted;
  if (typeof value !== 'object' || value === null) return value;
  const below = (key: string) =>
    redact(
      (value as Record<string, unknown>)[key],
      paths.filter(([part]) => part === '*' || part === key).map((path) => path.slice(1)),
    );
  const entries = Object.keys(value).map((key) => [key, below(key)] as const);
  return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
}
