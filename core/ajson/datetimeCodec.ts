import { shown } from './AjsonError.ts';
import type { Fields } from './AlgObject.ts';
import { Datetime } from './Datetime.ts';
import { assertDepth, fail } from './ErrorPath.ts';
import { NONE, ownMembers } from './isPlain.ts';
import type { Writing } from './write.ts';

// The years 1 to 9999, to which datetimes on the wire are limited.
const FIRST = -62135596800000;
const END = 253402300800000;

/** The value of the tag of a datetime. */
export function writeDate(date: Date, { settings }: Writing, depth: number): unknown {
  assertDepth(depth, settings.maxDepth);
  return { tz: 'UTC', timestamp: toTimestamp(date) };
}

/** A datetime of the value of its tag. With `anyZone`, one without a zone or in another than UTC is read too. */
export function readDate(held: Fields, anyZone = false): Date {
  const isOwn = NONE['tz'] === undefined && NONE['timestamp'] === undefined;
  const { tz, timestamp } = isOwn ? held : ownMembers(held);
  if (tz !== 'UTC' && !(anyZone && (typeof tz === 'string' || tz === null)))
    fail(
      'tag',
      `the zone of a datetime must be UTC and is ${shown(tz)}: createAjson({ zones: 'any' }) reads it`,
    );
  const date = typeof timestamp === 'number' && fromTimestamp(timestamp);
  return date || fail('tag', 'a datetime needs a timestamp in seconds, of the years 1 to 9999');
}

/**
 * The datetime at `seconds` since 1970: a `Date`, or a `Datetime` if there are microseconds. Undefined outside the
 * years 1 to 9999.
 */
function fromTimestamp(seconds: number): Date | undefined {
  const ms = Math.round(seconds * 1000);
  if (ms / 1000 === seconds) return isInRange(ms) ? new Date(ms) : undefined;
  const whole = Math.floor(seconds);
  const micros = Math.round((seconds - whole) * 1e6);
  const rest = micros % 1000;
  const floor = whole * 1000 + (micros - rest) / 1000;
  if (!isInRange(floor)) return undefined;
  return rest === 0 ? new Date(floor) : new Datetime(floor, rest);
}

/** The seconds since 1970 with all microseconds; fails if they could not come back the same. */
function toTimestamp(date: Date): number {
  const ms: number = Date.prototype.getTime.call(date);
  if (Number.isNaN(ms)) fail('value', 'an invalid Date');
  if (!isInRange(ms)) fail('value', 'a datetime must be of the years 1 to 9999');
  // Also of a Datetime of another copy of this package.
  const micros = (date as Partial<Datetime>).microseconds ?? 0;
  if (micros === 0) return ms / 1000;
  const seconds = Number(`${BigInt(ms) * 1000n + BigInt(micros)}e-6`);
  const back = fromTimestamp(seconds);
  const isSame = back instanceof Datetime && back.getTime() === ms && back.microseconds === micros;
  return isSame ? seconds : fail('value', 'microseconds so far from 1970 do not fit a float');
}

function isInRange(ms: number): boolean {
  return ms >= FIRST && ms < END;
}
