import type { Datetime } from './Datetime.ts';
import type { ParseLimits } from './parseExact.ts';
import type { ClassEntry } from './registerClass.ts';

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

/** What is settled when an ajson is made. */
export interface Settings extends ParseLimits {
  readonly unknown: 'throw' | 'keep';
  readonly nan: boolean;
  readonly decimal: DecimalClass | undefined;
  readonly datetime: DatetimeKind | undefined;
  readonly custom: ReadonlyMap<string, CustomKind>;
  /** Classes by name, then by module. */
  readonly names: Map<string, Map<string, ClassEntry>>;
  /** Classes by the prototype of their instances. */
  readonly prototypes: Map<object, ClassEntry>;
}
