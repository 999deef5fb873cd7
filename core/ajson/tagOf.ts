import { isPlain } from './isPlain.ts';
import { isPlainList } from './isPlainList.ts';
import type { Kind } from './kinds.ts';
import type { Settings } from './settings.ts';
import { assertDepth, fail } from './Trace.ts';
import { dense, rawNumber, toWire, type Writing } from './toWire.ts';

/** The tag for a value that JSON lacks, or the number, or what JSON has in another realm. */
export function tagOf(writing: Writing, value: unknown, depth: number, proto?: object): unknown {
  const { settings } = writing;
  if (typeof value === 'bigint') return rawNumber(digitsOf(value, settings.maxDigits));
  if (value === undefined) {
    assertDepth(depth, settings.maxDepth);
    return { _alg_class: 'undefined', value: null };
  }
  const kind = kindOf(settings, value, proto);
  if (!kind) {
    if (isPlainList(value)) return toWire(writing, [...dense(value)], depth, true);
    if (typeof value === 'object' && value && isPlain(value))
      return toWire(writing, { ...value }, depth, true);
    return refuse(value);
  }
  const { name, module } = kind;
  const held = kind.write(value as never, writing, depth + 1);
  if (name === undefined) return held;
  return module === undefined
    ? { _alg_class: name, value: held }
    : { _alg_class: name, _alg_module: module, value: held };
}

/** A registered class comes first, then what was chosen, then what all know. */
function kindOf({ prototypes, chosen }: Settings, value: unknown, proto?: object): Kind | undefined {
  const known = proto && prototypes.get(proto);
  if (known && (known.module !== undefined || chosen.length === 0)) return known;
  const asked = chosen.find((kind) => kind.is(value)) ?? known;
  // A Buffer has a prototype of its own.
  return asked ?? (value instanceof Uint8Array ? prototypes.get(Uint8Array.prototype) : undefined);
}

function digitsOf(value: bigint, maxDigits: number): string {
  const digits = String(value);
  const length = digits.length - Number(value < 0n);
  return length > maxDigits ? fail('digits', `${length} digits: more than maxDigits`) : digits;
}

function refuse(value: unknown): never {
  const type: unknown = typeof value === 'object' && value ? value.constructor : undefined;
  const name = typeof type === 'function' ? type.name : '';
  const advice =
    value instanceof Promise ? 'await it first' : 'ajson.register its class, or make it a custom kind';
  return fail('value', `${name || typeof value} has no place on the wire: ${advice}`);
}
