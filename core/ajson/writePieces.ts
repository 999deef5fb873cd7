import type { Fields } from './AlgObject.ts';
import { OWN, SHARED } from './codecs.ts';
import { assertDepth } from './ErrorPath.ts';
import { formOf, isPlain, isPlainList, isPolluted } from './isPlain.ts';
import { type Ajson, writers } from './openAjson.ts';
import { hasWords } from './parseExact.ts';
import type { Codec } from './registry.ts';
import { textOf } from './textOf.ts';
import { textWeight } from './textWeight.ts';
import type { UnknownObject } from './UnknownObject.ts';
import {
  codecOf,
  copyList,
  hasUnderscored,
  listToWire,
  startWriting,
  toWire,
  type Writing,
} from './write.ts';

/** The bytes of a piece in base64. A multiple of three, so that only the end is padded. */
const base64Bytes = 49_152;

/** Each level weighs its members again. A cycle is found by `dumps`. */
const maxDividedDepth = 32;

/** A shorter list is searched for large items. */
const manyItems = 1000;

/**
 * The text of `ajson.dumps(value, { tags: 'keep' })` in pieces of roughly `pieceLength` characters, so that neither a large
 * text nor a converted copy of the value is in memory as a whole. Each piece is written when it is taken. Plain
 * containers, sets, maps, tuples, bytes, strings and instances of registered classes are divided. An error, and a value
 * that is written by a function of the user, is one piece. A registry that is not of this package gives one piece.
 *
 * @throws AjsonError when the piece with the value is taken
 */
export function* writePieces(
  ajson: Pick<Ajson, 'dumps'>,
  value: unknown,
  pieceLength = 65_536,
): Generator<string, void, undefined> {
  const writer = writers.get(ajson.dumps);
  const whole = () => ajson.dumps(value, { tags: 'keep' });
  if (!writer || writer.settings.asksAll || isPolluted()) return yield whole();
  const writing = startWriting(writer.settings, writer.nan, true);
  let ready = '';
  try {
    for (const part of dividedParts({ writing, pieceLength }, value, 0)) {
      // A long part is not joined, which would copy it.
      const isLong = part.length > pieceLength / 4;
      if (!isLong) ready += part;
      if (!isLong && ready.length < pieceLength) continue;
      if (ready !== '') yield ready;
      ready = '';
      if (isLong) yield part;
    }
  } catch (error) {
    // The error of `dumps` has the whole path.
    whole();
    throw error;
  }
  if (ready !== '') yield ready;
}

interface Dividing {
  readonly writing: Writing;
  readonly pieceLength: number;
}

type Items = readonly unknown[] | ReadonlySet<unknown> | ReadonlyMap<unknown, unknown>;
type Parts = Generator<string, void, undefined>;

function* partsOf(dividing: Dividing, value: unknown, depth: number): Parts {
  const { writing, pieceLength } = dividing;
  const isLarge = textWeight(value, pieceLength) > pieceLength;
  if (isLarge) yield* dividedParts(dividing, value, depth);
  else yield wholeText(writing, value, depth);
}

/** The parts of a value that is large, or may be. */
function* dividedParts(dividing: Dividing, value: unknown, depth: number): Parts {
  const { writing, pieceLength } = dividing;
  if (typeof value === 'string') return yield* stringParts(value, pieceLength);
  if (typeof value !== 'object' || value === null || depth > maxDividedDepth) {
    return yield wholeText(writing, value, depth);
  }
  assertDepth(depth, writing.settings.maxDepth);
  const isUsual = value.constructor === (Array.isArray(value) ? Array : Object);
  const codec = isUsual ? undefined : codecOf(writing.settings, value);
  if (hasWords(value)) yield wholeText(writing, value, depth);
  else if (codec) yield* tagParts(dividing, codec, value, depth);
  // JSON.stringify would call a toJSON.
  else if ('toJSON' in value) yield wholeText(writing, value, depth);
  else if (isPlainList(value)) yield* listParts(dividing, value, depth);
  else if (isPlain(value)) yield* objectParts(dividing, value as Fields, depth);
  else yield wholeText(writing, value, depth);
}

function wholeText(writing: Writing, value: unknown, depth: number): string {
  writing.numbers.length = 0;
  return textOf(writing, toWire(writing, value, depth));
}

/** The members of a plain object, or the fields of an instance. One that is undefined is left out, or null. */
function* objectParts(dividing: Dividing, object: Fields, depth: number, isInstance = false): Parts {
  let separator = '{';
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value === undefined && !isInstance) continue;
    yield `${separator}${JSON.stringify(key)}:`;
    separator = ',';
    yield* partsOf(dividing, value === undefined ? null : value, depth + 1);
  }
  yield separator === '{' ? '{}' : '}';
}

/** The items of a list, set or map. Many small items become one part. */
function* listParts(dividing: Dividing, items: Items, depth: number, hashing = false): Parts {
  const { writing, pieceLength } = dividing;
  const size = Array.isArray(items) ? items.length : (items as ReadonlySet<unknown>).size;
  const take = size < manyItems ? weighedBatches(items, pieceLength) : countedBatches(items);
  let count = 1;
  let separator = '[';
  for (let batch = take(count); batch.length > 0; batch = take(count)) {
    yield separator;
    separator = ',';
    let { length } = batch;
    if (length === 1 && !hashing && textWeight(batch[0], pieceLength) > pieceLength) {
      length = yield* measured(dividedParts(dividing, batch[0], depth + 1));
    } else {
      writing.numbers.length = 0;
      const text = textOf(writing, listToWire({ ...writing, hashing }, batch, depth, true));
      length = text.length;
      yield text.slice(1, -1);
    }
    const wanted = Math.round((batch.length * pieceLength) / length);
    count = Math.min(Math.max(wanted, 1), batch.length * 4);
  }
  yield separator === '[' ? '[]' : ']';
}

/** Makes a function that returns the next items: a large one alone, or small ones up to `pieceLength`. */
function weighedBatches(items: Items, pieceLength: number): () => unknown[] {
  // The copy below would turn a hole into undefined.
  if (Array.isArray(items) && items.includes(undefined)) copyList(items);
  const rest = [...(items as Iterable<unknown>)];
  let start = 0;
  return () => {
    let end = start;
    for (let weight = 0; end < rest.length; end++) {
      weight += textWeight(rest[end], pieceLength);
      if (weight > pieceLength && end > start) break;
    }
    const batch = rest.slice(start, end);
    start = end;
    return batch;
  };
}

/** Makes a function that returns the next `count` items. Weighing each would take as long as writing it. */
function countedBatches(items: Items): (count: number) => unknown[] {
  if (Array.isArray(items)) {
    let start = 0;
    return (count) => {
      start += count;
      return items.slice(start - count, start);
    };
  }
  const iterator: Iterator<unknown> = (items as ReadonlySet<unknown>)[Symbol.iterator]();
  return (count) => {
    const batch: unknown[] = [];
    while (batch.length < count) {
      const next = iterator.next();
      if (next.done) break;
      batch.push(next.value);
    }
    return batch;
  };
}

/** Yields the parts. Returns their length. */
function* measured(parts: Parts): Generator<string, number, undefined> {
  let length = 0;
  for (const part of parts) {
    length += part.length;
    yield part;
  }
  return length;
}

function* tagParts(dividing: Dividing, codec: Codec, value: object, depth: number): Parts {
  const { writing } = dividing;
  const { name, module } = codec;
  const within = depth + 1;
  const opening = `{"_alg_class":${JSON.stringify(name)},`;
  if (codec === OWN.get('')) {
    return yield* objectParts(dividing, (value as UnknownObject).tag, depth, true);
  }
  if (codec.fieldsOf && module !== undefined) {
    const fields = codec.fieldsOf(value);
    const form = fields === value ? 'an object' : formOf(fields);
    if (!form || Object.hasOwn(fields as object, '_alg_class')) return yield wholeText(writing, value, depth);
    assertDepth(within, writing.settings.maxDepth);
    yield `${opening}"_alg_module":${JSON.stringify(module)},"value":`;
    if (form === 'an object') yield* objectParts(dividing, fields as Fields, within, true);
    else if (form === 'a list') yield* listParts(dividing, fields as unknown[], within);
    else yield* stringParts(fields as string, dividing.pieceLength);
    return yield hasUnderscored(fields, value) ? ',"_alg_names":"own"}' : '}';
  }
  if (codec === OWN.get('Uint8Array')) {
    yield `${opening}"value":"`;
    yield* base64Parts(value as Uint8Array);
    return yield '"}';
  }
  const isSet = codec === SHARED.get('set') || codec === SHARED.get('frozenset');
  if (!isSet && codec !== SHARED.get('tuple') && codec !== OWN.get('Map')) {
    return yield wholeText(writing, value, depth);
  }
  yield `${opening}"value":`;
  yield* listParts(dividing, value as Items, within, isSet);
  yield '}';
}

function* base64Parts(bytes: Uint8Array): Parts {
  for (let start = 0; start < bytes.length; start += base64Bytes) {
    const length = Math.min(base64Bytes, bytes.length - start);
    // `toBase64` runs in browsers too, and makes eight times the garbage.
    yield Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('base64');
  }
}

function* stringParts(text: string, pieceLength: number): Parts {
  yield '"';
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = start + pieceLength;
    // A surrogate pair that is cut would be written as two escapes.
    if ((text.codePointAt(end - 1) ?? 0) > 0xffff) end += 1;
    yield JSON.stringify(text.slice(start, end)).slice(1, -1);
  }
  yield '"';
}
