import type { Fields } from './AlgObject.ts';
import type { ChosenKind } from './chosenKinds.ts';
import { isPolluted } from './isPolluted.ts';
import { type Kind, OWN, SHARED } from './kinds.ts';
import { LIMITS } from './limits.ts';
import { ownOptions } from './ownOptions.ts';
import { read } from './read.ts';
import { readTag } from './readTag.ts';
import { rebuildTree } from './rebuild.ts';
import type { AlgClass, ClassOptions, ForeignClassOptions } from './registerClass.ts';
import { registerClass } from './registerClass.ts';
import type { Settings } from './settings.ts';
import { stringify } from './stringify.ts';
import { traceOf } from './Trace.ts';
import { anyToWire, type Writing } from './toWire.ts';

/** What an ajson may be told once, for all it reads and writes. */
export interface Defaults {
  /** An object of an unknown class is an error (`throw`, the default) or becomes an UnknownObject (`keep`). */
  readonly unknown?: 'throw' | 'keep';
  /** Whether `dumps` writes NaN and the infinities as Python does, though they are not JSON. Default false. */
  readonly nan?: boolean;
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

/** Makes an ajson that knows no classes yet; `chosen` are kinds beside those that all know. */
export function openAjson(defaults: Defaults, chosen: readonly ChosenKind[]): Ajson {
  const {
    unknown = 'throw',
    nan = false,
    maxDepth = LIMITS.maxDepth,
    maxDigits = LIMITS.maxDigits,
  } = ownOptions(defaults);
  const [shared, bare] = [new Map(SHARED), new Map(OWN)];
  const prototypes = new Map<object, Kind>();
  for (const kind of [...shared.values(), ...bare.values()])
    for (const { prototype } of kind.classes) prototypes.set(prototype, kind);
  for (const kind of chosen) (shared.has(kind.name) ? shared : bare).set(kind.name, kind);
  const settings: Settings = {
    maxDepth,
    maxDigits,
    shared,
    modules: new Map([[undefined, bare]]),
    prototypes,
    chosen,
  };
  const builder = (unknown: 'throw' | 'keep') => (tag: Fields) => readTag(settings, unknown, tag);
  const build = builder(unknown);
  return {
    dumps(value, options) {
      const own = options && ownOptions(options);
      const writing: Writing = {
        settings,
        nan: own?.nan ?? nan,
        tags: own?.tags === 'keep',
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
      const own = options && ownOptions(options);
      return read(settings, text, own?.unknown ? builder(own.unknown) : build) as T;
    },
    raw<T>(text: string) {
      return read(settings, text) as T;
    },
    register: (type: AlgClass<object>, options: ClassOptions) => registerClass(settings, type, options),
    rebuildEvent<T>(event: unknown) {
      try {
        return rebuildTree(maxDepth, event, build, undefined, true).value as T;
      } catch (error) {
        throw traceOf(error).toError();
      }
    },
  };
}
