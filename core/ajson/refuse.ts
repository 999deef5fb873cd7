import { shown } from './AjsonError.ts';
import { AlgObject } from './AlgObject.ts';
import { fail } from './ErrorPath.ts';
import { KIND } from './recognise.ts';

/** Fails for a value that cannot be written, with advice. */
export function refuse(value: unknown): never {
  const isObject = typeof value === 'object' && value;
  const type: unknown = isObject && value.constructor;
  const name = typeof type === 'function' && type.name !== 'Object' ? type.name : '';
  const what = isObject ? (name ? shown(name) : 'an object with a prototype') : typeof value;
  return fail('value', `${what} cannot be written: ${isObject ? adviceFor(value, name) : 'leave it out'}`);
}

function adviceFor(value: object, name: string): string {
  if (!name) return 'copy its members with { ...value }';
  const tag = Object.prototype.toString.call(value);
  if (tag === '[object Promise]') return 'await it first';
  if (ArrayBuffer.isView(value) || tag === '[object ArrayBuffer]') return 'send a list or a Uint8Array';
  if (KIND in value && !(value instanceof AlgObject)) return 'it is of another copy of algernon-middy';
  return 'ajson.register its class';
}
