import { AjsonError } from './AjsonError.ts';
import type { AlgObject } from './AlgObject.ts';
import { OWN, SHARED } from './codecs.ts';
import { Datetime } from './Datetime.ts';
import { Decimal } from './Decimal.ts';
import { readDate, writeDate } from './datetimeCodec.ts';
import { assertDigits, callUser } from './ErrorPath.ts';
import { ownMembers } from './isPlain.ts';
import { type Ajson, type Defaults, openAjson } from './openAjson.ts';
import { LIMITS } from './parseExact.ts';
import type { AlgClass, ChosenCodec, ClassOptions, Codec, ForeignClassOptions } from './registry.ts';
import { toWire } from './write.ts';

/** A class for decimals, such as that of decimal.js, big.js or bignumber.js. */
export interface DecimalClass {
  new (digits: string): object;
}

/** How values of a custom kind become JSON, and come back. */
export interface CustomKind {
  /** Whether a value is of this kind. Called for every value, primitives included. */
  is(value: unknown): boolean;
  /** The value to send: anything that ajson can write. */
  toJson(value: never): unknown;
  /** Makes the value again from what was sent. */
  parseJson(json: never): unknown;
}

/** A class of datetimes to use in place of `Date`. */
export interface DatetimeKind {
  /** Whether a value is such a datetime. */
  is(value: unknown): boolean;
  /** The same instant as a `Date`, or as a `Datetime` if there are microseconds. */
  toJson(value: never): Date;
  /** The same instant as a `Datetime`. `zone` is `UTC`; with `zones: 'any'` also another name or null. */
  parseJson(datetime: Datetime, zone: string | null): unknown;
}

/** A class to register as an ajson is made: the options of `register`, with the class beside them. */
export type ClassToRegister =
  | (ClassOptions & {
      /** The class. */
      readonly class: AlgClass<AlgObject>;
    })
  | (ForeignClassOptions<object> & {
      /** The class. */
      readonly class: { readonly prototype: object; readonly name: string };
    });

/** The options of {@link createAjson}. */
export interface AjsonOptions extends Defaults {
  /** Classes to register at once. Default none. */
  readonly classes?: readonly ClassToRegister[];
  /** The class for decimals, such as that of decimal.js, big.js or bignumber.js. Default: `Decimal`. */
  readonly decimal?: DecimalClass;
  /** The class of datetimes, in place of `Date` and `Datetime`. */
  readonly datetime?: DatetimeKind;
  /**
   * The zones that a datetime may have: `utc` (default), or `any`, which also reads datetimes of version 2.x without
   * a zone or in another one. The instant is kept, the zone is not.
   */
  readonly zones?: 'utc' | 'any';
  /** Custom kinds by name, each a tag without a module, which Python passes on as a dict. Default none. */
  readonly custom?: Readonly<Record<string, CustomKind>>;
}

/**
 * Makes an ajson with a separate registry of classes. Throws an `AjsonError` if a name is taken.
 *
 * @example
 * const ajson = createAjson({ classes: [{ class: Order, module: 'shop.models' }], decimal: DecimalJs });
 * const order = ajson.loads<Order>(ajson.dumps(new Order('A-1')));
 */
export function createAjson(options: AjsonOptions = {}): Ajson {
  const own = ownMembers(options);
  const ajson = openAjson(own, chosenCodecs(own));
  for (const { class: type, ...rest } of own.classes ?? []) ajson.register(type as AlgClass<object>, rest);
  return ajson;
}

function chosenCodecs({ datetime, zones, decimal, custom, maxDigits }: AjsonOptions): ChosenCodec[] {
  const codecs: ChosenCodec[] = [];
  if (datetime || zones === 'any') codecs.push(datetimeCodec(datetime, zones === 'any'));
  if (decimal) codecs.push(decimalCodec(decimal, maxDigits ?? LIMITS.maxDigits));
  for (const [name, kind] of Object.entries(custom ?? {})) codecs.push(customCodec(name, kind));
  return codecs;
}

function datetimeCodec(kind: DatetimeKind | undefined, anyZone: boolean): ChosenCodec {
  return {
    ...(SHARED.get('datetime') as Codec),
    is: (value) => kind?.is(value) ?? false,
    write: (value, writing, depth) =>
      writeDate(
        callUser(() => kind?.toJson(value) ?? value),
        writing,
        depth,
      ),
    read(held: { tz: string | null }) {
      const date = readDate(held, anyZone);
      if (!kind) return date;
      const full = date instanceof Datetime ? date : new Datetime(date.getTime());
      return callUser(() => kind.parseJson(full, held.tz));
    },
  };
}

function decimalCodec(Chosen: DecimalClass, maxDigits: number): ChosenCodec {
  return {
    ...(SHARED.get('decimal') as Codec),
    is: (value) => value instanceof Chosen,
    write: digitsOf,
    read(digits: string) {
      assertDigits(digits.length, maxDigits);
      return new Decimal(digits) && new Chosen(digits);
    },
  };
}

/** The digits of a decimal. Only `valueOf` has the sign of -0, but that of a strict class throws. */
function digitsOf(value: object): string {
  try {
    const plain = value.valueOf();
    if (typeof plain === 'string') return plain;
  } catch {
    // The text has all but that sign.
  }
  return String(value);
}

function customCodec(name: string, kind: CustomKind): ChosenCodec {
  if (SHARED.has(name) || OWN.has(name))
    throw new AjsonError('class', `kind ${name} has a name of the format itself`);
  return {
    name,
    classes: [],
    is: (value) => callUser(() => kind.is(value)),
    write(value, writing, depth) {
      const json = callUser(() => kind.toJson(value));
      // A text is not asked about again, because it may be of this kind itself.
      return typeof json === 'string' ? json : toWire(writing, json, depth);
    },
    read: (held) => callUser(() => kind.parseJson(held)),
  };
}
