import { StoredData, storedDataClass } from '../storedData/StoredData.ts';
import { UnknownClassError } from './AjsonError.ts';
import type { Fields } from './AlgObject.ts';
import { OWN, SHARED } from './codecs.ts';
import { ErrorPath, fail, pathOf } from './ErrorPath.ts';
import { formOf, NONE, ownMembers } from './isPlain.ts';
import { LIMITS } from './parseExact.ts';
import { read } from './read.ts';
import { rebuildTree } from './rebuild.ts';
import {
  type AlgClass,
  type ChosenCodec,
  type ClassOptions,
  type Codec,
  type ForeignClassOptions,
  registerClass,
  type Settings,
} from './registry.ts';
import { UnknownObject } from './UnknownObject.ts';
import { write } from './write.ts';

/** The options of an ajson for everything it reads and writes. */
export interface Defaults {
  /** An object of an unknown class is an error (`throw`, the default) or becomes an UnknownObject (`keep`). */
  readonly unknown?: 'throw' | 'keep';
  /** Whether `dumps` writes NaN and the infinities as Python does, though they are not JSON. Default false. */
  readonly nan?: boolean;
  /** How deep a value may be, in levels. Default 512. */
  readonly maxDepth?: number;
  /** How many digits an integer may have, and a decimal of a chosen class. Default 4300, as in Python. */
  readonly maxDigits?: number;
}

/** Options for writing one value. */
export interface DumpsOptions {
  /** `keep` writes plain objects that look like tags as they are, such as those of `raw`. Default: refuse them. */
  readonly tags?: 'keep' | 'refuse';
  /** Whether NaN and the infinities are written. Default: the option of the ajson. */
  readonly nan?: boolean;
}

/** Options for reading one text. */
export interface LoadsOptions {
  /** The treatment of objects of unknown classes. Default: the option of the ajson. */
  readonly unknown?: 'throw' | 'keep';
}

/** JSON that keeps classes, datetimes, tuples, sets and decimals; see {@link createAjson}. */
export interface Ajson {
  /** The text of a value. Throws an `AjsonError` with the path of a value that cannot be written. */
  dumps(value: unknown, options?: DumpsOptions): string;
  /** The value of a text, rebuilt. Throws an `AjsonError` with the path and the place in the text. */
  loads<T = unknown>(text: string, options?: LoadsOptions): T;
  /** The value of a text with its tags still tags; integers past 2^53 are bigint. Throws as `loads` does. */
  raw<T = unknown>(text: string): T;
  /** Registers a class that extends `AlgObject`, or has the same members. */
  register<T extends object>(type: AlgClass<T>, options: ClassOptions): void;
  /** Registers a class that cannot extend `AlgObject`. */
  register<T extends object>(
    type: { readonly prototype: T; readonly name: string },
    options: ForeignClassOptions<T>,
  ): void;
  /**
   * A parsed event with its tags rebuilt. The argument is not changed: containers that change are copied, the others
   * are shared. Instances in it, and values given to `markRaw`, stay as they are.
   */
  rebuildEvent<T = unknown>(event: unknown): T;
}

/** The settings behind each `dumps`, for writing in pieces. An object with another `dumps` is not found. */
export const writers: WeakMap<Ajson['dumps'], { settings: Settings; nan: boolean }> =
  /* @__PURE__ */ new WeakMap();

/** Makes an ajson with no class but StoredData; `chosen` are codecs beside those that every ajson has. */
export function openAjson(defaults: Defaults, chosen: readonly ChosenCodec[]): Ajson {
  const {
    unknown = 'throw',
    nan = false,
    maxDepth = LIMITS.maxDepth,
    maxDigits = LIMITS.maxDigits,
  } = ownMembers(defaults);
  const [shared, bare] = [new Map(SHARED), new Map(OWN)];
  const prototypes = new Map<object, Codec>();
  for (const codec of [...shared.values(), ...bare.values()])
    for (const { prototype } of codec.classes) prototypes.set(prototype, codec);
  for (const codec of chosen) (shared.has(codec.name) ? shared : bare).set(codec.name, codec);
  const settings: Settings = {
    maxDepth,
    maxDigits,
    shared,
    modules: new Map([[undefined, bare]]),
    prototypes,
    chosen,
    asksAll: chosen.some(({ name }) => !shared.has(name)),
  };
  registerClass(settings, StoredData, storedDataClass);
  const builder = (unknown: 'throw' | 'keep') => (tag: Fields) => readTag(settings, unknown, tag);
  const build = builder(unknown);
  const dumps: Ajson['dumps'] = (value, options) => {
    const own = options && ownMembers(options);
    return write(settings, value, own?.nan ?? nan, own?.tags === 'keep');
  };
  writers.set(dumps, { settings, nan });
  return {
    dumps,
    loads<T>(text: string, options?: LoadsOptions) {
      const own = options && ownMembers(options);
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
        throw pathOf(error).toError();
      }
    },
  };
}

/** The value of a tag, whose members are rebuilt already. */
function readTag({ shared, modules }: Settings, unknown: 'throw' | 'keep', tag: Fields): unknown {
  const isOwn = NONE['value'] === undefined && NONE['_alg_module'] === undefined;
  const { _alg_class: name, _alg_module: module, value } = isOwn ? tag : ownMembers(tag);
  if (typeof name !== 'string' || (value === undefined && !Object.hasOwn(tag, 'value')))
    fail('tag', 'a tag has a name and a value');
  let codec = shared.get(name);
  if (!codec) {
    if (module !== undefined && typeof module !== 'string') fail('tag', '_alg_module must be a string');
    codec = modules.get(module)?.get(name);
    if (!codec) {
      if (module === undefined || unknown === 'keep') return new UnknownObject(tag);
      throw new ErrorPath((details) => new UnknownClassError(name, module, details));
    }
  }
  const { holds } = codec;
  if (holds && formOf(value) !== holds) fail('tag', `the value of ${name} must be ${holds}`);
  try {
    return codec.read(value as never, tag);
  } catch (error) {
    throw pathOf(error, 'tag');
  }
}
