import { Datetime } from './Datetime.ts';

// Years 1 to 9999, which are all that a datetime on the wire can be.
const FIRST = -62135596800000;
const END = 253402300800000;

/**
 * The datetime at `seconds` since 1970: a `Date`, or a `Datetime` where there are microseconds. Undefined outside
 * the years 1 to 9999.
 */
export function fromTimestamp(seconds: number): Date | undefined {
  const ms = Math.round(seconds * 1000);
  if (ms / 1000 === seconds) return isInRange(ms) ? new Date(ms) : undefined;
  const whole = Math.floor(seconds);
  const micros = Math.round((seconds - whole) * 1e6);
  const rest = micros % 1000;
  const floor = whole * 1000 + (micros - rest) / 1000;
  if (!isInRange(floor)) return undefined;
  return rest === 0 ? new Date(floor) : new Datetime(floor, rest);
}

/**
 * The seconds since 1970 with all microseconds. Undefined where they cannot come back the same: in an
 * invalid date, outside the years 1 to 9999, and for microseconds too far from 1970 for a float.
 */
export function toTimestamp(date: Date): number | undefined {
  const ms = date.getTime();
  if (!isInRange(ms)) return undefined;
  const micros = date instanceof Datetime ? date.microseconds : 0;
  if (micros === 0) return ms / 1000;
  const whole = Math.floor(ms / 1000);
  const part = (ms - whole * 1000) * 1000 + micros;
  // A negative time is written as the seconds towards zero, and a fraction that leads away from it.
  const digits = (seconds: number, fraction: number) => `${seconds}.${String(fraction).padStart(6, '0')}`;
  const text = whole < 0 ? `-${digits(-whole - 1, 1e6 - part)}` : digits(whole, part);
  const seconds = Number(text);
  const back = fromTimestamp(seconds);
  const same = back instanceof Datetime && back.getTime() === ms && back.microseconds === micros;
  return same ? seconds : undefined;
}

function isInRange(ms: number): boolean {
  return ms >= FIRST && ms < END;
}
