import { AjsonError } from './AjsonError.ts';
import { quote } from './formatPath.ts';
import { branded, KIND } from './recognise.ts';

const FINITE = /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,18}))?$/i;
const SPECIAL = /^[+-]?(?:inf(?:inity)?|s?nan\d*)$/i;

const inspected = Symbol.for('nodejs.util.inspect.custom');

/** A base class, because the declarations cannot have a member with the name of a symbol that is not well known. */
const Branded: new () => object = /* @__PURE__ */ branded('decimal', /* @__PURE__ */ inspectable());

function inspectable(): new () => object {
  return class {
    [inspected](): string {
      return `Decimal ${this}`;
    }
  };
}

/**
 * A decimal that keeps its digits as written: `1.10` stays `1.10`. It does not compute: `+`, `<`, `.sort()` and
 * `Number(…)` throw a `TypeError`, because they would use its text. To compute, choose a class with
 * `createAjson({ decimal })`.
 *
 * Takes everything that Python's `Decimal` takes, including `NaN`, `Infinity` and exponents, and throws an
 * `AjsonError` for any other text.
 *
 * @example
 * const price = new Decimal('1.10');
 * String(price); // '1.10'
 * price.equals(new Decimal('1.1')); // true
 */
export class Decimal extends Branded {
  /** The digits as they were written. A public field, because test tools and `structuredClone` see no other. */
  readonly digits: string;

  constructor(digits: string | number | bigint) {
    super();
    this.digits = String(digits);
    if (!FINITE.test(this.digits) && !SPECIAL.test(this.digits)) {
      throw new AjsonError('tag', `${quote(this.digits.slice(0, 40))} is not a decimal`);
    }
  }

  /** The digits as they were written. */
  override toString(): string {
    return this.digits;
  }

  /** The digits as they were written, for `JSON.stringify`. */
  toJSON(): string {
    return this.digits;
  }

  /** Whether both are the same number: `1.10` equals `1.1`, `-0` equals `0`, and NaN equals nothing. */
  equals(other: unknown): boolean {
    if (typeof other !== 'object' || !other || (other as { [KIND]?: unknown })[KIND] !== 'decimal')
      return false;
    const own = normalise(this.digits);
    return own !== undefined && own === normalise(other.toString());
  }

  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string' && !isSorting(this[Symbol.toPrimitive])) return this.digits;
    throw new TypeError(
      'A Decimal does not compute or compare: use createAjson({ decimal }), equals() or toString()',
    );
  }
}

/**
 * Whether `sort` asks for the text, so that 10 would come before 9. Only the stack tells it from `String(price)`: V8
 * names the built-in function that called.
 */
function isSorting(caller: unknown): boolean {
  const { stackTraceLimit } = Error;
  const trace: { stack?: unknown } = {};
  Error.stackTraceLimit = 1;
  Error.captureStackTrace?.(trace, caller as () => void);
  Error.stackTraceLimit = stackTraceLimit;
  return /\.(?:sort|toSorted) \(<anonymous>\)/.test(String(trace.stack));
}

/** Whether the text is a finite decimal. */
export function isFiniteDecimal(digits: string): boolean {
  return FINITE.test(digits);
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
