import { AlgObject, type Fields } from './AlgObject.ts';
import { UnknownObject } from './UnknownObject.ts';

/** Deeper values fail when they are written, unless the registry allows more. They are not divided. */
const maxDepth = 600;

/** Roughly the length of the text of a value. The walk stops beyond `limit`, so a cycle or a large value costs little. */
export function textWeight(value: unknown, limit: number, depth = 0): number {
  if (typeof value === 'string') return value.length + 3;
  if (typeof value !== 'object' || value === null) return 6;
  if (depth > maxDepth) return 6;
  let weight = 2;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && weight <= limit; index++)
      weight += textWeight(value[index], limit - weight, depth + 1);
    return weight;
  }
  if (value.constructor !== Object) {
    // The text of a tag, with its class.
    weight += 60;
    // Only toJson knows what it returns.
    if (value instanceof AlgObject && value.toJson !== AlgObject.prototype.toJson) return Infinity;
    if (value instanceof UnknownObject) return weight + textWeight(value.tag, limit - weight, depth + 1);
    if (ArrayBuffer.isView(value)) return weight + value.byteLength * (4 / 3);
    if (value instanceof Set || value instanceof Map) {
      for (const item of value) {
        weight += textWeight(item, limit - weight, depth + 1);
        if (weight > limit) return weight;
      }
    }
  }
  for (const key in value) {
    weight += key.length + 4 + textWeight((value as Fields)[key], limit - weight, depth + 1);
    if (weight > limit) return weight;
  }
  return weight;
}
