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
 * Refuses a value of which JSON would lose a part silently. A Date becomes its text, and any other object with a `toJSON`
 * method the value that it returns.
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
  if (ancestors.has(value)) throw new AnswerError(keys, 'a cycle');
  ancestors.add(value);
  if (hasToJSON(value)) {
    // JSON.stringify does not call toJSON on what toJSON returns.
    const json = value.toJSON(String(keys.at(-1) ?? ''));
    if (!hasToJSON(json)) walk(json, keys, ancestors);
    ancestors.delete(value);
    return;
  }
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [key, item] of entries) {
    keys.push(key);
    walk(item, keys, ancestors);
    keys.pop();
  }
  ancestors.delete(value);
}

function hasToJSON(value: unknown): value is { toJSON(key: string): unknown } {
  return typeof (value as { toJSON?: unknown } | null | undefined)?.toJSON === 'function';
}

const lossyTags = new Set(['Map', 'Set', 'WeakMap', 'WeakSet', 'Promise', 'RegExp', 'ArrayBuffer']);
const plainTags = new Set(['Object', 'Array', 'Arguments', 'String', 'Number', 'Boolean']);

function lossOf(value: unknown): string | undefined {
  if (typeof value === 'bigint') return 'a bigint';
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : String(value);
  if (typeof value !== 'object' || value === null) return undefined;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid date' : undefined;
  if (hasToJSON(value)) return undefined;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag === 'Error' || value instanceof Error) return 'an Error';
  if (ArrayBuffer.isView(value)) return `a ${tag}`;
  if (lossyTags.has(tag)) return `a ${tag}`;
  // Such as Headers, an iterator or a boxed bigint: JSON would write {}.
  const isEmpty = !plainTags.has(tag) && Object.keys(value).length === 0;
  return isEmpty ? `a ${tag}` : undefined;
}
