import { AjsonError } from '../errors.ts';
import { AlgObject, type Fields } from './AlgObject.ts';
import { BUILT_IN } from './readTag.ts';
import type { Settings } from './settings.ts';

/** A class that can be registered as it is: it has `toJson`, and a static `parseJson`. */
export interface AlgClass<T extends object> {
  readonly prototype: T;
  readonly name: string;
  parseJson(fields: never): T;
}

/** How a class is called on the wire. */
export interface ClassOptions {
  /** The module of the class, as Python would import it, such as `shop.models`. */
  readonly module: string;
  /** The name on the wire; by default the name of the class, which a minifier may change. */
  readonly name?: string;
  /** Former names, which still load: a name in the same module, or one in another. */
  readonly aliases?: readonly (string | { readonly name: string; readonly module: string })[];
}

/** How a class that does not extend AlgObject crosses the wire. */
export interface ForeignClassOptions<T extends object> extends ClassOptions {
  readonly name: string;
  /** The fields to send. */
  toJson(value: T): Fields;
  /** Makes an instance of the fields that came. */
  parseJson(fields: never): T;
}

/** A class as it is registered. */
export interface ClassEntry {
  readonly name: string;
  readonly module: string;
  readonly prototype: object;
  /** Undefined where the own fields are all there is to send. */
  readonly toJson: ((value: object) => unknown) | undefined;
  readonly parseJson: (fields: Fields) => unknown;
}

type AnyOptions = ClassOptions & Partial<ForeignClassOptions<object>>;
type AnyClass = { readonly prototype: object; readonly name: string; parseJson?(fields: never): object };

/** Registers a class with the settings of one ajson. */
export function registerClass(settings: Settings, type: AnyClass, options: AnyOptions): void {
  const { module, name = type.name, aliases = [] } = options;
  const prototype: object & { toJson?: unknown } = type.prototype;
  const parse = options.parseJson as ClassEntry['parseJson'] | undefined;
  const write = options.toJson as ClassEntry['toJson'];
  if (!(parse ?? type.parseJson)) refuse(name, 'needs a static parseJson');
  if (!(write ?? prototype.toJson))
    refuse(name, 'needs toJson: extend AlgObject, or give { toJson, parseJson }');
  const own = prototype.toJson === AlgObject.prototype.toJson;
  const entry: ClassEntry = {
    name,
    module,
    prototype,
    toJson: write ?? (own ? undefined : (value) => (value as AlgObject).toJson()),
    parseJson: parse ?? ((fields) => type.parseJson?.(fields as never)),
  };
  for (const alias of [name, ...aliases]) {
    const known = typeof alias === 'string' ? { name: alias, module } : alias;
    if (!known.name || !known.module) refuse(name, 'needs a name and a module');
    if (BUILT_IN.has(known.name)) refuse(known.name, 'has a name of the format itself');
    const modules = settings.names.get(known.name) ?? new Map<string, ClassEntry>();
    const other = modules.get(known.module);
    if (other && other.prototype !== prototype)
      refuse(known.name, `is registered for ${known.module} already`);
    settings.names.set(known.name, modules.set(known.module, entry));
  }
  settings.prototypes.set(prototype, entry);
}

function refuse(name: string, reason: string): never {
  throw new AjsonError('class', `class ${name} ${reason}`);
}
