const NUMBER = /(?<![^[:,\s])-?\d(?:\d{15}|[\d.]*[eE])[\d.eE+-]*/g;
const MEMBER = /"\s*:/g;
// Members named by digits come first in an object, wherever in the text they are.
const SHUFFLED = /"\d[^"]*"\s*:/;

/** The numbers of a text that are past 2^53, and what else looks like one. */
export interface LargeNumbers {
  /** As they are written, in the order of the text. */
  readonly digits: readonly string[];
  /** How many members its objects have, or more; NaN where they may come in another order. */
  readonly members: number;
}

/**
 * Finds the large numbers in a text that is known to be JSON, and to have no escapes in names. They are those of the parsed value, one for one and in
 * its order, where both have as many members and as many large numbers: within strings there may seem to be more, and
 * of members with the same name one is left.
 */
export function largeNumbers(text: string): LargeNumbers {
  return {
    digits: text.match(NUMBER)?.filter((digits) => isLarge(Number(digits))) ?? [],
    members: SHUFFLED.test(text) ? Number.NaN : (text.match(MEMBER)?.length ?? 0),
  };
}

/** 2^53 - 1, written out since a bundler keeps what is read of Number. */
export const MAX_SAFE: number = 9_007_199_254_740_991;

/** Whether a number is past what it can hold exactly. */
export function isLarge(value: number): boolean {
  return value > MAX_SAFE || value < -MAX_SAFE;
}
