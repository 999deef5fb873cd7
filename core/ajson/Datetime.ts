import { branded } from './recognise.ts';

const Branded: DateConstructor = /* @__PURE__ */ branded('datetime', Date);

/**
 * A `Date` that keeps microseconds. `loads` makes one if a datetime has them; without them it makes a plain `Date`.
 * `<`, `-` and the equality of test tools take the microseconds into account. `structuredClone` makes a plain `Date`
 * of it, as of every subclass.
 *
 * @example
 * new Datetime(Date.UTC(2020, 0, 2, 3, 4, 5, 123), 456).toISOString(); // '2020-01-02T03:04:05.123456Z'
 */
export class Datetime extends Branded {
  /** The microseconds past the millisecond, 0 to 999. */
  readonly microseconds: number;

  /** Takes milliseconds since 1970 and microseconds past them (0 to 999); throws a `RangeError` for any others. */
  constructor(milliseconds: number, microseconds = 0) {
    super(milliseconds);
    if (!(Number.isInteger(microseconds) && microseconds >= 0 && microseconds < 1000)) {
      throw new RangeError('microseconds must be an integer from 0 to 999');
    }
    this.microseconds = microseconds;
  }

  /** The milliseconds since 1970, with the microseconds as a fraction. */
  override valueOf(): number {
    return this.getTime() + this.microseconds / 1000;
  }

  /** The time as ISO 8601 writes it. */
  override toISOString(): string {
    return super.toISOString().replace('Z', `${String(this.microseconds).padStart(3, '0')}Z`);
  }
}
