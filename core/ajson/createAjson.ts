import { AjsonError } from '../errors.ts';
import type { AlgObject } from './AlgObject.ts';
import { isPolluted } from './isPolluted.ts';
import { read, rebuildTree } from './read.ts';
import { BUILT_IN, readTag } from './readTag.ts';
import {
  type AlgClass,
  type ClassOptions,
  type ForeignClassOptions,
  registerClass,
} from './registerClass.ts';
import type { CustomKind, DatetimeKind, DecimalClass, Settings } from './settings.ts';
import { stringify } from './stringify.ts';
import { traceOf } from './Trace.ts';
import { anyToWire, type Writing } from './toWire.ts';

/** A class to register as an ajson is made: what `register` takes, with the class beside. */
export type ClassToRegister =
  | (ClassOptions & { readonly class: AlgClass<AlgObject> })
  | (ForeignClassOptions<object> & { readonly class: { readonly prototype: object; readonly name: string } });

/** How an ajson reads and writes. */
export interface AjsonOptions {
  /** Classes to register at once. Default none. */
  readonly classes?: readonly ClassToRegister[];
  /** An object of an unknown class is an error (`throw`, the default) or becomes an UnknownObject (`keep`). */
  readonly unknown?: 'throw' | 'keep';
  /** Whether `dumps` writes NaN and the infinities as Python does, though they are not JSON. Default false. */
  readonly nan?: boolean;
  /** The class for decimals, such as that of decimal.js, big.js or bignumber.js. Default: `Decimal`. */
  readonly decimal?: DecimalClass;
  /** The kind of datetimes, in place of `Date` and `Datetime`. */
  readonly datetime?: DatetimeKind;
  /** Kinds of one's own by name, each a tag without a module: Python passes it on as a dict. Default none. */
  readonly custom?: Readonly<Record<string, CustomKind>>;
  /** The levels a value may go deep. Default 512. */
  readonly maxDepth?: number;
  /** The digits that an integer may have, and a decimal of a chosen class. Default 4300, as in Python. */
  readonly maxDigits?: number;
}

/** How one value is written. */
export interface DumpsOptions {
  /** `keep` writes plain objects that look like tags as they are, such as those of `raw`. Default: refuse them. */
  readonly tags?: 'keep' | 'refuse';
  /** Whether NaN and the infinities are written. Default: as the ajson was made. */
  readonly nan?: boolean;
}

/** How one text is read. */
export interface LoadsOptions {
  /** What becomes of an object of an unknown class. Default: as the ajson was made. */
  readonly unknown?: 'throw' | 'keep';
}

/** JSON that keeps classes, datetimes, tuples, sets and decimals; see {@link createAjson}. */
export interface Ajson {
  /** The text of a value. Throws an `AjsonError` with the path of what has no place on the wire. */
  dumps(value: unknown, options?: DumpsOptions): string;
  /** The value of a text, rebuilt. Throws an `AjsonError` with the path, and the place in the text. */
  loads<T = unknown>(text: string, options?: LoadsOptions): T;
  /** The value of a text with its tags still tags; integers past 2^53 are bigint. Throws as `loads` does. */
  raw<T = unknown>(text: string): T;
  /** Registers a class that extends `AlgObject`, or has the like of its members. */
  register<T extends object>(type: AlgClass<T>, options: ClassOptions): void;
  /** Registers a class that cannot extend `AlgObject`. */
  register<T extends object>(
    type: { readonly prototype: T; readonly name: string },
    options: ForeignClassOptions<T>,
  ): void;
  /**
   * A parsed event with its tags rebuilt. The argument is left as it is: what changes is copied, the rest is
   * shared. Instances in it, and what was given to `markRaw`, stay as they are.
   */
  rebuildEvent<T = unknown>(event: unknown): T;
}

/**
 * Makes an ajson with a registry of classes of its own.
 *
 * @example
 * const ajson = createAjson({ classes: [{ class: Order, module: 'shop.models' }], decimal: DecimalJs });
 * const order = ajson.loads<Order>(ajson.dumps(new Order('A-1')));
 */
export function createAjson(options: AjsonOptions = {}): Ajson {
  const settings: Settings = {
    unknown: 'throw',
    nan: false,
    decimal: undefined,
    datetime: undefined,
    maxDepth: 512,
    maxDigits: 4300,
    ...options,
    custom: new Map(Object.entries(options.custom ?? {})),
    names: new Map(),
    prototypes: new Map(),
  };
  for (const name of settings.custom.keys()) {
    if (BUILT_IN.has(name)) throw new AjsonError('class', `kind ${name} has a name of the format itself`);
  }
  for (const { class: type, ...rest } of options.classes ?? []) registerClass(settings, type, rest);
  const defaults: Required<DumpsOptions> = { tags: 'refuse', nan: settings.nan };
  return {
    dumps(value, options) {
      const { tags, nan } = options ? { ...defaults, ...options } : defaults;
      const writing: Writing = {
        settings,
        maxDepth: settings.maxDepth,
        nan,
        tags: tags === 'keep',
        polluted: isPolluted(),
        words: false,
      };
      try {
        return stringify(writing, anyToWire(writing, value, 0));
      } catch (error) {
        throw traceOf(error).toError();
      }
    },
    loads<T>(text: string, options?: LoadsOptions) {
      const { unknown } = { unknown: settings.unknown, ...options };
      return read(settings, text, (tag) => readTag(settings, unknown, tag)) as T;
    },
    raw<T>(text: string) {
      return read(settings, text) as T;
    },
    register: (type: AlgClass<object>, options: ClassOptions) => registerClass(settings, type, options),
    rebuildEvent<T>(event: unknown) {
      try {
        return rebuildTree(settings, event, (tag) => readTag(settings, settings.unknown, tag), true) as T;
      } catch (error) {
        throw traceOf(error).toError();
      }
    },
  };
}
