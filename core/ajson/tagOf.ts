import { isPlain } from './isPlain.ts';
import { fail } from './Trace.ts';
import { dense, rawNumber, toWire, type Writing } from './toWire.ts';

/** The tag for a value that JSON lacks, or the number, or what JSON has in another realm. */
export function tagOf(writing: Writing, value: unknown, depth: number, proto?: object): unknown {
  if (typeof value === 'bigint') return rawNumber(String(value));
  if (value === undefined) return { _alg_class: 'undefined', value: null };
  const { prototypes, chosen } = writing.settings;
  let kind = proto && prototypes.get(proto);
  if (!kind) {
    if (Array.isArray(value) && Array.isArray(proto)) return toWire(writing, [...dense(value)], depth, true);
    if (typeof value === 'object' && value && isPlain(value))
      return toWire(writing, { ...value }, depth, true);
    // A Buffer has a prototype of its own.
    const bytes = value instanceof Uint8Array ? prototypes.get(Uint8Array.prototype) : undefined;
    kind = chosen.find((one) => one.is(value)) ?? bytes ?? refuse(value);
  }
  const { name, module } = kind;
  const held = kind.write(value as never, writing, depth);
  if (name === undefined) return held;
  return module === undefined
    ? { _alg_class: name, value: held }
    : { _alg_class: name, _alg_module: module, value: held };
}

function refuse(value: unknown): never {
  const type: unknown = typeof value === 'object' && value ? value.constructor : undefined;
  const name = typeof type === 'function' ? type.name : '';
  const advice =
    value instanceof Promise ? 'await it first' : 'ajson.register its class, or make it a custom kind';
  return fail('value', `${name || typeof value} has no place on the wire: ${advice}`);
}
