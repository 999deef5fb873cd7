/**
 * A `Date` that keeps microseconds. `loads` makes one of a datetime that has them; one without is a plain `Date`.
 *
 * @example
 * new Datetime(Date.UTC(2020, 0, 2, 3, 4, 5, 123), 456).toISOString(); // '2020-01-02T03:04:05.123456Z'
 */
export class Datetime extends Date {
  /** The microseconds past the millisecond, 0 to 999. */
  readonly microseconds: number;

  /** Takes milliseconds since 1970, and the microseconds past them (0 to 999); throws a `RangeError` beyond. */
  constructor(milliseconds: number, microseconds = 0) {
    super(milliseconds);
    if (!(Number.isInteger(microseconds) && microseconds >= 0 && microseconds < 1000)) {
      throw new RangeError('microseconds are a whole number from 0 to 999');
    }
    this.microseconds = microseconds;
  }

  override toISOString(): string {
    return super.toISOString().replace('Z', `${String(this.microseconds).padStart(3, '0')}Z`);
  }
}
