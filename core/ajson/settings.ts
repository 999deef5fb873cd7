import type { ChosenKind } from './chosenKinds.ts';
import type { Datetime } from './Datetime.ts';
import type { Kind } from './kinds.ts';
import type { Limits } from './limits.ts';

/** A class for decimals, such as that of decimal.js, big.js or bignumber.js. */
export interface DecimalClass {
  new (digits: string): object;
}

/** How a kind of value that JSON lacks becomes JSON, and comes back. */
export interface CustomKind {
  /** Whether a value is of this kind. */
  is(value: unknown): boolean;
  /** What to send: anything that ajson can write. */
  toJson(value: never): unknown;
  /** The value, of what was sent. */
  parseJson(json: never): unknown;
}

/** A kind of datetime, in place of `Date`. */
export interface DatetimeKind {
  /** Whether a value is such a datetime. */
  is(value: unknown): boolean;
  /** The same instant as a `Date`, or a `Datetime` where there are microseconds. */
  toJson(value: never): Date;
  /** The same instant of a `Datetime`. */
  parseJson(datetime: Datetime): unknown;
}

/** The kinds that the maker of an ajson may choose. */
export interface ChosenOptions {
  /** The class for decimals, such as that of decimal.js, big.js or bignumber.js. Default: `Decimal`. */
  readonly decimal?: DecimalClass;
  /** The kind of datetimes, in place of `Date` and `Datetime`. */
  readonly datetime?: DatetimeKind;
  /** Kinds of one's own by name, each a tag without a module: Python passes it on as a dict. Default none. */
  readonly custom?: Readonly<Record<string, CustomKind>>;
}

/** What is settled when an ajson is made. */
export interface Settings extends Limits {
  /** The kinds that Python has too, by name. */
  readonly shared: ReadonlyMap<string, Kind>;
  /** All others by module, which for those that are no class is undefined; then by name. */
  readonly modules: Map<string | undefined, Map<string | undefined, Kind>>;
  /** The kinds by the prototype of their values. */
  readonly prototypes: Map<object, Kind>;
  /** The kinds whose values are told by asking. */
  readonly chosen: readonly ChosenKind[];
}
