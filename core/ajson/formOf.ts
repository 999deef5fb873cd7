import { isPlain } from './isPlain.ts';

/** The form of a value that JSON may have given. */
export function formOf(value: unknown): 'a list' | 'a string' | 'an object' | undefined {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? 'a string' : undefined;
  if (Array.isArray(value)) return 'a list';
  return isPlain(value) ? 'an object' : undefined;
}
