import { AjsonError } from '../errors.ts';

const FINITE = /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,18}))?$/i;
const SPECIAL = /^[+-]?(?:inf(?:inity)?|s?nan\d*)$/i;
const inspected = Symbol.for('nodejs.util.inspect.custom');

/** Shows itself in `console.log`, which sees no private digits. A class of its own, for the sake of the declarations. */
const Shown: new () => object = class {
  [inspected](): string {
    return `Decimal ${this}`;
  }
};

/**
 * A decimal that holds its digits as written: `1.10` stays `1.10`. It does no arithmetic; to compute, give
 * `createAjson({ decimal })` the class you use.
 *
 * Takes what Python's `Decimal` takes, `NaN`, `Infinity` and exponents included, and throws an `AjsonError` on
 * anything else.
 *
 * @example
 * const price = new Decimal('1.10');
 * String(price); // '1.10'
 * price.equals(new Decimal('1.1')); // true
 */
export class Decimal extends Shown {
  readonly #digits: string;

  constructor(digits: string | number | bigint) {
    super();
    this.#digits = String(digits);
    if (!FINITE.test(this.#digits) && !SPECIAL.test(this.#digits)) {
      throw new AjsonError('tag', `${JSON.stringify(this.#digits.slice(0, 40))} is not a decimal`);
    }
  }

  /** The digits as they were written. */
  override toString(): string {
    return this.#digits;
  }

  /** The digits as they were written, for `JSON.stringify`. */
  toJSON(): string {
    return this.#digits;
  }

  /** Whether both are the same number: `1.10` equals `1.1`, `-0` equals `0`, and NaN equals nothing. */
  equals(other: unknown): boolean {
    // Not by the class's name: a bundler would then give the class another.
    if (typeof other !== 'object' || other === null || !(#digits in other)) return false;
    const own = normalise(this.#digits);
    return own !== undefined && own === normalise(other.#digits);
  }
}

/** One spelling for all spellings of a number; undefined for NaN. */
function normalise(digits: string): string | undefined {
  const [, sign, whole = '', fraction = '', exponent = '0'] = FINITE.exec(digits) ?? [];
  if (sign === undefined) return /nan/i.test(digits) ? undefined : digits.startsWith('-') ? '-inf' : 'inf';
  const all = (whole + fraction).replace(/^0+/, '');
  if (all === '') return '0';
  let end = all.length;
  while (all.charCodeAt(end - 1) === 48) end--;
  const power = BigInt(exponent) + BigInt(all.length - end - fraction.length);
  return `${sign === '-' ? sign : ''}${all.slice(0, end)}e${power}`;
}
