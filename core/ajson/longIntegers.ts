/** The integers of a text that a number may not hold. */
export interface LongIntegers {
  /** The digits, in the order of the text. */
  readonly digits: readonly string[];
  /** How many members the objects of the text have. */
  readonly members: number;
  /** Whether members may come in another order than that of the text, as those named by digits do. */
  readonly shuffled: boolean;
}

const LONG = /-?\d{16,}(?![\d.eE])/y;

/** Finds the integers of sixteen digits and more in a text that is known to be JSON. */
export function longIntegers(text: string): LongIntegers {
  const digits: string[] = [];
  let members = 0;
  let shuffled = false;
  for (let at = 0; at < text.length; at++) {
    let code = text.charCodeAt(at);
    if (code === 34) {
      const first = text.charCodeAt(at + 1);
      do {
        if (code === 92) at++;
        code = text.charCodeAt(++at);
      } while (code !== 34);
      let after = at + 1;
      while (text.charCodeAt(after) <= 32) after++;
      if (text.charCodeAt(after) === 58) {
        members++;
        if (first === 92 || (first >= 48 && first <= 57)) shuffled = true;
      }
    } else if (code === 45 || (code >= 48 && code <= 57)) {
      const start = at;
      LONG.lastIndex = start;
      while (code > 42 && code !== 44 && code !== 93 && code !== 125) code = text.charCodeAt(++at);
      if (at - start > 15 && LONG.test(text)) {
        const found = text.slice(start, LONG.lastIndex);
        if (!Number.isSafeInteger(Number(found))) digits.push(found);
      }
      at--;
    }
  }
  return { digits, members, shuffled };
}
