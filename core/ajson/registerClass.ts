import { AjsonError } from '../errors.ts';
import type { AlgObject, Fields } from './AlgObject.ts';
import { formOf } from './formOf.ts';
import { type Kind, SHARED } from './kinds.ts';
import { ownOptions } from './ownOptions.ts';
import type { Settings } from './settings.ts';
import { fail, theirs } from './Trace.ts';
import { toWire } from './toWire.ts';

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

type AnyOptions = ClassOptions & Partial<ForeignClassOptions<object>>;
type AnyClass = { readonly prototype: object; readonly name: string; parseJson?(fields: never): object };

/** Registers a class with the settings of one ajson. */
export function registerClass(settings: Settings, type: AnyClass, options: AnyOptions): void {
  const own = ownOptions(options);
  const { module, name = type.name, aliases = [], toJson } = own;
  const prototype: object & { toJson?: unknown } = type.prototype;
  const parseJson = own.parseJson ?? type.parseJson?.bind(type) ?? refuse(name, 'needs a static parseJson');
  if (!toJson && !prototype.toJson)
    refuse(name, 'needs toJson: extend AlgObject, or give { toJson, parseJson }');
  const kind: Kind = {
    name,
    module,
    classes: [type],
    holds: 'an object',
    write(value: AlgObject, writing, depth) {
      const fields = theirs(() => (toJson ? toJson(value) : value.toJson()));
      if (formOf(fields) !== 'an object') fail('class', `toJson of ${name} gives no plain object`);
      return toWire(writing, fields, depth);
    },
    read: (fields: Fields) => theirs(() => parseJson(bareNames(fields) as never)),
  };
  const names = [name, ...aliases].map((alias) =>
    typeof alias === 'string' ? { name: alias, module } : alias,
  );
  for (const known of names) {
    if (!known.name || !known.module) refuse(name, 'needs a name and a module');
    if (SHARED.has(known.name)) refuse(known.name, 'has a name of the format itself');
    if (settings.modules.get(known.module)?.get(known.name)?.classes.includes(type) === false)
      refuse(known.name, `is registered for ${known.module} already`);
  }
  for (const known of names) {
    const kinds = settings.modules.get(known.module) ?? new Map<string, Kind>();
    settings.modules.set(known.module, kinds.set(known.name, kind));
  }
  settings.prototypes.set(prototype, kind);
}

/** The fields with one leading underscore taken off, but where the bare name is there too. */
function bareNames(fields: Fields): Fields {
  const entries = Object.entries(fields);
  if (!entries.some(([name]) => name[0] === '_')) return fields;
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const bare = name.replace(/^_/, '');
      // Assigning to `__proto__`, as parseJson may, would change what the instance is.
      const isTaken = bare === '' || bare === '__proto__' || Object.hasOwn(fields, bare);
      return [isTaken ? name : bare, value];
    }),
  );
}

function refuse(name: string, reason: string): never {
  throw new AjsonError('class', `class ${name} ${reason}`);
}
