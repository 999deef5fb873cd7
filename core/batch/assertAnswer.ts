import { formatPath } from '../ajson/formatPath.ts';
import { AlgernonError } from '../errors.ts';

/** The answer of a direct invocation is JSON, which would lose a part of it. */
export class AnswerError extends AlgernonError {
  override readonly name = 'AnswerError';

  constructor(keys: readonly (string | number)[], found: string) {
    const path = formatPath(keys);
    super(
      'ANSWER_NOT_JSON',
      `${path}: the answer of a direct invocation is JSON, which cannot hold ${found}. ` +
        'Convert it, or return ajson.dumps(result) and read it with ajson.loads.',
      { path },
    );
  }
}

/**
 * Refuses a value of which JSON would lose a part silently. A `toJSON` method is trusted, so a Date becomes its text.
 *
 * @throws AnswerError with the path
 */
export function assertAnswer(value: unknown): void {
  walk(value, [], new Set());
}

function walk(value: unknown, keys: (string | number)[], ancestors: Set<object>): void {
  const loss = lossOf(value);
  if (loss) throw new AnswerError(keys, loss);
  if (typeof value !== 'object' || value === null) return;
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return;
  if (ancestors.has(value)) throw new AnswerError(keys, 'a cycle');
  ancestors.add(value);
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [key, item] of entries) {
    keys.push(key);
    walk(item, keys, ancestors);
    keys.pop();
  }
  ancestors.delete(value);
}

const lossyTags = new Set(['Map', 'Set', 'WeakMap', 'WeakSet', 'Promise', 'RegExp', 'ArrayBuffer']);

function lossOf(value: unknown): string | undefined {
  if (typeof value === 'bigint') return 'a bigint';
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : String(value);
  if (typeof value !== 'object' || value === null) return undefined;
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return undefined;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag === 'Error' || value instanceof Error) return 'an Error';
  if (ArrayBuffer.isView(value)) return `a ${tag}`;
  return lossyTags.has(tag) ? `a ${tag}` : undefined;
}
