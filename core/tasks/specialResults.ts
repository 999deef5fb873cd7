import { FanOut } from '../groups/FanOutResult.ts';
import { ChainEnd } from './endChain.ts';

/** A result that means something to the stages, and is not a value for the next task. */
interface SpecialResult {
  readonly kind: string;
  is(result: unknown): boolean;
  /** The part of it that ajson can write. */
  contentOf(result: never): unknown;
  make(content: never): unknown;
}

/** All of them, so that a result that is stored and read again means the same. */
const specialResults: readonly SpecialResult[] = [
  {
    kind: 'endChain',
    is: (result) => result instanceof ChainEnd,
    contentOf: ({ result }: ChainEnd) => result,
    make: (result) => new ChainEnd(result),
  },
  {
    kind: 'fanOut',
    is: (result) => result instanceof FanOut,
    // The definitions of the tasks have been checked, and are functions.
    contentOf: ({ tasks, options: { tasks: _, ...options } }: FanOut) => ({ tasks, options }),
    make: ({ tasks, options }: FanOut) => new FanOut(tasks, options),
  },
];

/** A result in parts that can be stored. */
export interface PackedResult {
  /** Undefined for an ordinary value. */
  readonly kind: string | undefined;
  readonly content: unknown;
}

export function packResult(result: unknown): PackedResult {
  const special = specialResults.find(({ is }) => is(result));
  return { kind: special?.kind, content: special ? special.contentOf(result as never) : result };
}

/** The result again; undefined if its kind is unknown, as after the roll-back of a deployment. */
export function unpackResult({ kind, content }: PackedResult): { result: unknown } | undefined {
  if (kind === undefined) return { result: content };
  const special = specialResults.find((other) => other.kind === kind);
  return special && { result: special.make(content as never) };
}
