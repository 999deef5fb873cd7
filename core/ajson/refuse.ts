import { AlgObject } from './AlgObject.ts';
import { fail } from './ErrorPath.ts';
import { KIND, nameOf } from './recognise.ts';

/** Fails for a value that cannot be written, with advice. */
export function refuse(value: unknown): never {
  if (typeof value !== 'object' || !value)
    return fail('value', `${typeof value} cannot be written: leave it out`);
  const name = nameOf(value);
  if (!name)
    fail('value', 'an object with a prototype cannot be written: copy its members with { ...value }');
  return fail('value', `${name} cannot be written: ${adviceFor(value)}`);
}

function adviceFor(value: object): string {
  const tag = Object.prototype.toString.call(value);
  if (tag === '[object Promise]') return 'await it first';
  if (ArrayBuffer.isView(value) || tag === '[object ArrayBuffer]') return 'send a list or a Uint8Array';
  if (KIND in value && !(value instanceof AlgObject)) return 'it is of another copy of algernon-middy';
  return 'ajson.register its class';
}
