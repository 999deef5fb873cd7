import { assertDepth } from './ErrorPath.ts';
import { isPolluted } from './isPlain.ts';
import { type Ajson, writers } from './openAjson.ts';
import { hasWords } from './parseExact.ts';
import { textOf } from './textOf.ts';
import { startWriting, toWire, type Writing } from './write.ts';

/** The length of a piece, roughly. */
const pieceLength = 65_536;

/** Of a longer list, many items become one piece, and no item is divided. */
const fewItems = 64;

/** How many containers are divided. The others become one piece each. */
const maxDivided = 1000;

/**
 * The text of `ajson.dumps(value, { tags: 'keep' })` in pieces, so that a large text is never in memory as a whole. Each
 * piece is written when it is taken. Large plain containers and strings are divided; an instance of a class is one piece.
 * A registry that is not of this package gives one piece.
 *
 * @throws AjsonError when the piece with the value is taken
 */
export function* writePieces(
  ajson: Pick<Ajson, 'dumps'>,
  value: unknown,
): Generator<string, void, undefined> {
  const writer = writers.get(ajson.dumps);
  const whole = () => ajson.dumps(value, { tags: 'keep' });
  if (!writer || writer.settings.asksAll || isPolluted()) return yield whole();
  const writing = startWriting(writer.settings, writer.nan, true);
  let ready = '';
  try {
    for (const part of partsOf(writing, value, 0, { left: maxDivided })) {
      // A long part is not joined, which would copy it.
      const isLong = part.length > pieceLength / 2;
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

type Parts = Generator<string, void, undefined>;

function* partsOf(writing: Writing, value: unknown, depth: number, budget: { left: number }): Parts {
  if (typeof value === 'string' && value.length > pieceLength) return yield* stringParts(value);
  if (!isDivisible(value) || budget.left === 0) return yield wholeText(writing, value, depth);
  budget.left -= 1;
  assertDepth(depth, writing.settings.maxDepth);
  if (!Array.isArray(value)) yield* objectParts(writing, value as Record<string, unknown>, depth, budget);
  else if (value.length < fewItems) yield* shortListParts(writing, value, depth, budget);
  else yield* longListParts(writing, value, depth);
}

/** Whether the text of a container is made of the texts of its members, whatever they are. */
function isDivisible(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const proto: unknown = Object.getPrototypeOf(value);
  const isPlain = Array.isArray(value) ? proto === Array.prototype : proto === Object.prototype;
  return isPlain && !('toJSON' in value) && !hasWords(value);
}

function wholeText(writing: Writing, value: unknown, depth: number): string {
  writing.numbers.length = 0;
  return textOf(writing, toWire(writing, value, depth));
}

function* objectParts(
  writing: Writing,
  object: Record<string, unknown>,
  depth: number,
  budget: { left: number },
): Parts {
  const keys = Object.keys(object);
  let separator = '{';
  for (const key of keys) {
    const value = object[key];
    if (value === undefined) continue;
    yield `${separator}${JSON.stringify(key)}:`;
    separator = ',';
    if (keys.length < fewItems) yield* partsOf(writing, value, depth + 1, budget);
    else yield wholeText(writing, value, depth + 1);
  }
  yield separator === '{' ? '{}' : '}';
}

function* shortListParts(
  writing: Writing,
  list: readonly unknown[],
  depth: number,
  budget: { left: number },
): Parts {
  yield '[';
  for (let index = 0; index < list.length; index++) {
    if (index > 0) yield ',';
    // A hole is refused within its list.
    if (index in list) yield* partsOf(writing, list[index], depth + 1, budget);
    else wholeText(writing, list, depth);
  }
  yield ']';
}

function* longListParts(writing: Writing, list: readonly unknown[], depth: number): Parts {
  let count = 1;
  for (let start = 0, end = 0; start < list.length; start = end) {
    end = start + count;
    const text = wholeText(writing, list.slice(start, end), depth);
    yield start === 0 ? '[' : ',';
    yield text.slice(1, -1);
    const wanted = Math.round((count * pieceLength) / text.length);
    count = Math.min(Math.max(wanted, 1), count * 4);
  }
  yield ']';
}

function* stringParts(text: string): Parts {
  yield '"';
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = start + pieceLength;
    // A surrogate pair that is cut would be written as two escapes.
    if ((text.codePointAt(end - 1) ?? 0) > 0xffff) end += 1;
    yield JSON.stringify(text.slice(start, end)).slice(1, -1);
  }
  yield '"';
}
