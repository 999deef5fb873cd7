/** What bounds the reading of a text. */
export interface Limits {
  /** The levels a value may go deep. */
  readonly maxDepth: number;
  /** The digits that an integer may have. */
  readonly maxDigits: number;
}

/** The limits where none are chosen; that of digits is Python's. */
export const LIMITS: Limits = { maxDepth: 512, maxDigits: 4300 };
