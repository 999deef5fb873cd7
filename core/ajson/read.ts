import { AjsonError } from '../errors.ts';
import { isPolluted } from './isPolluted.ts';
import { type LongIntegers, longIntegers } from './longIntegers.ts';
import { offsetOf, type ParseLimits, parseExact } from './parseExact.ts';
import { type BuildTag, type Reading, rebuild } from './rebuild.ts';
import { fail, traceOf } from './Trace.ts';

/** The cause where the digits of a number cannot be told from the order of the text. */
const UNSURE: unique symbol = Symbol();

/** The value of a text; with `build`, tags become what they stand for. Throws an `AjsonError`. */
export function read(limits: ParseLimits, text: string, build?: BuildTag): unknown {
  if (typeof text !== 'string') throw new AjsonError('syntax', 'what is read is a string');
  let tree: unknown;
  try {
    tree = JSON.parse(text);
  } catch {
    return readExact(limits, text, build);
  }
  try {
    // Every escaped spelling of the tag has one of the two in it.
    const tagged = build && (text.includes('_alg_class') || text.includes('\\u00'));
    return rebuildTree(limits, tree, tagged ? build : undefined, false, text);
  } catch (error) {
    if (traceOf(error).cause === UNSURE) return readExact(limits, text, build);
    throw locate(limits, text, error);
  }
}

function readExact(limits: ParseLimits, text: string, build: BuildTag | undefined): unknown {
  try {
    return rebuildTree(limits, parseExact(text, limits), build, false);
  } catch (error) {
    throw error instanceof AjsonError ? error : locate(limits, text, error);
  }
}

function locate(limits: ParseLimits, text: string, error: unknown): AjsonError {
  const trace = traceOf(error);
  return trace.toError(text, offsetOf(text, limits, trace.keys.toReversed()));
}

/** A parsed tree, rebuilt; `text` is what it was parsed from, where that has more digits than the tree. */
export function rebuildTree(
  { maxDepth, maxDigits }: ParseLimits,
  tree: unknown,
  build: BuildTag | undefined,
  foreign: boolean,
  text?: string,
): unknown {
  let long: LongIntegers | undefined;
  let next = 0;
  function exact(value: number): number | bigint {
    if (text === undefined) return value;
    long ??= longIntegers(text);
    if (long.digits.length === 0 && Number.isFinite(value)) return value;
    const digits = long.digits[next++];
    if (digits === undefined || long.shuffled || Number(digits) !== value) fail('digits', '', UNSURE);
    if (digits.length > maxDigits) fail('digits', `${digits.length} digits: more than maxDigits`);
    return BigInt(digits);
  }
  const reading: Reading = {
    maxDepth,
    build,
    foreign,
    polluted: isPolluted(),
    exact,
    members: 0,
  };
  let built = tree;
  if (typeof tree === 'object') built = tree && rebuild(reading, tree, 0);
  else if (typeof tree === 'number' && Math.abs(tree) > Number.MAX_SAFE_INTEGER) built = exact(tree);
  // Of members with the same name one is left, and then what was matched may be another's.
  if (long?.digits.length && (next !== long.digits.length || reading.members !== long.members))
    fail('digits', '', UNSURE);
  return built;
}
