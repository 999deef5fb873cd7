import { AjsonError, shown } from './AjsonError.ts';
import { AlgObject, type Fields } from './AlgObject.ts';
import { SHARED } from './codecs.ts';
import { callUser, fail } from './ErrorPath.ts';
import { define, formOf, ownMembers } from './isPlain.ts';
import type { Limits } from './parseExact.ts';
import { copyList, fieldsToWire, hasUnderscored, listToWire, type Writing } from './write.ts';

/** How values of one kind are written as a tag, and read again. */
export interface Codec {
  /** The name of the tag. */
  readonly name: string;
  /** The module, for a class of the user. */
  readonly module?: string | undefined;
  /** The classes whose direct instances are of this kind. */
  readonly classes: readonly { readonly prototype: object }[];
  /** The form of the tag's value. */
  readonly holds?: string | undefined;
  /** Whether Python can hash such values, so that a set can hold them. */
  readonly hashable?: boolean | undefined;
  /** Gives the value of the tag, at this depth, as JSON has it. */
  write(value: never, writing: Writing, depth: number): unknown;
  /** The fields of an instance of a class, or the list or text in their place. */
  fieldsOf?(value: object): unknown;
  /** Makes a value of that of the tag. The tag's members are rebuilt already. */
  read(held: never, tag: Fields): unknown;
}

/** A codec that is asked for its values, since no prototype tells them. */
export interface ChosenCodec extends Codec {
  is?(value: unknown): boolean;
}

/** The settings of one ajson. */
export interface Settings extends Limits {
  /** The codecs of the kinds that Python has too, by name. */
  readonly shared: ReadonlyMap<string, Codec>;
  /** All others by module, which is undefined for those that are not classes; then by name. */
  readonly modules: Map<string | undefined, Map<string, Codec>>;
  /** The codecs by the prototype of their values. */
  readonly prototypes: Map<object, Codec>;
  /** The codecs that are asked. */
  readonly chosen: readonly ChosenCodec[];
  /** Whether they are asked about primitives too. */
  readonly asksAll: boolean;
}

/** A class that can be registered as it is: it has `toJson` and a static `parseJson`. */
export interface AlgClass<T extends object> {
  readonly prototype: T;
  /** The name of the class, and on the wire, unless the option `name` has another. */
  readonly name: string;
  /** Makes an instance from the fields that came. */
  parseJson(fields: never): T;
}

/** The names of a class on the wire. */
export interface ClassOptions {
  /** The module of the class, as Python would import it, such as `shop.models`. */
  readonly module: string;
  /** The name on the wire. Default: the name of the class, which a minifier may change. */
  readonly name?: string;
  /** Former names, which still load: a name in the same module, or one in another. */
  readonly aliases?: readonly (string | { readonly name: string; readonly module: string })[];
}

/** How a class that does not extend AlgObject crosses the wire. */
export interface ForeignClassOptions<T extends object> extends ClassOptions {
  readonly name: string;
  /** The fields to send, or a list or a text in their place. */
  toJson(value: T): Fields | readonly unknown[] | string;
  /** Makes an instance from the fields that came. */
  parseJson(fields: never): T;
}

type AnyOptions = ClassOptions & Partial<ForeignClassOptions<object>>;
type AnyClass = { readonly prototype: object; readonly name: string; parseJson?(fields: never): object };

/** A key of a tag that Python ignores. With it, field names with an underscore are those of the class itself. */
const NAMES = '_alg_names';

/** Registers a class with the settings of one ajson. */
export function registerClass(settings: Settings, type: AnyClass, options: AnyOptions): void {
  const own = ownMembers(options);
  const { module, name = type.name, aliases = [] } = own;
  const names = [name, ...aliases].map((alias) =>
    typeof alias === 'string' ? { name: alias, module } : alias,
  );
  for (const known of names) {
    if (!known.name || !known.module) refuse(name, 'needs a name and a module');
    if (SHARED.has(known.name)) refuse(known.name, 'has a name of the format itself');
    if (settings.modules.get(known.module)?.get(known.name)?.classes.includes(type) === false)
      refuse(known.name, `is registered for ${known.module} already`);
  }
  const codec = classCodec(type, own, name);
  for (const known of names) {
    const codecs = settings.modules.get(known.module) ?? new Map<string, Codec>();
    settings.modules.set(known.module, codecs.set(known.name, codec));
  }
  settings.prototypes.set(type.prototype, codec);
}

function classCodec(type: AnyClass, own: AnyOptions, name: string): Codec {
  const { module } = own;
  const prototype: object & { toJson?: unknown } = type.prototype;
  const parseJson = own.parseJson ?? type.parseJson?.bind(type) ?? refuse(name, 'needs a static parseJson');
  const toJson = own.toJson ?? prototype.toJson;
  if (typeof toJson !== 'function') return refuse(name, 'needs a toJson');
  const isDefault = toJson === AlgObject.prototype.toJson;
  /** The fields to send. The default ones are the instance's own, which need no copy. */
  function fieldsOf(value: object): unknown {
    if (!isDefault) return callUser(() => (own.toJson ? own.toJson(value) : (value as AlgObject).toJson()));
    for (const _ in value) return value;
    if (hidesFields(type)) fail('class', `${shown(name)} has no fields to send: #fields need a toJson`);
    return value;
  }
  return {
    name,
    module,
    classes: [type],
    hashable: true,
    fieldsOf,
    write(value: object, writing, depth) {
      const fields = fieldsOf(value);
      const form = fields === value ? 'an object' : formOf(fields);
      if (form === 'a string') return fields;
      if (form === 'a list') return listToWire(writing, copyList(fields as unknown[]), depth, true);
      if (!form) fail('class', `toJson of ${shown(name)} must give a plain object, a list or a text`);
      return fieldsToWire(writing, fields as Fields, depth);
    },
    read(held: Fields, tag) {
      const form =
        formOf(held) ?? fail('tag', `the value of ${shown(name)} must be an object, a list or a text`);
      const fields = form === 'an object' ? named(held, Object.hasOwn(tag, NAMES)) : held;
      const made: unknown = callUser(() => parseJson(fields as never));
      if (!(made instanceof (type as never))) {
        const got = made instanceof Promise ? 'a promise' : made === undefined ? 'nothing' : 'another class';
        fail('class', `parseJson of ${shown(name)} gave ${got}: it must return an instance`);
      }
      return made;
    },
  };
}

/** Whether an instance has state that its own fields do not show. */
function hidesFields(type: AnyClass): boolean {
  const members = Object.values(Object.getOwnPropertyDescriptors(type.prototype));
  return (type as { length?: unknown }).length !== 0 || members.some(({ get }) => get !== undefined);
}

/**
 * The fields for parseJson. Python's attributes begin with an underscore, which is taken off, except where the bare
 * name is taken; the names of a TypeScript class stay. The other name reads the same field, without being listed.
 */
function named(fields: Fields, isOwn: boolean): Fields {
  if (!hasUnderscored(fields, fields)) return fields;
  const made: Fields = {};
  for (const [name, value] of Object.entries(fields)) {
    const bare = name.replace(/^_/, '');
    // Assigning to `__proto__`, as parseJson may, would change the class of the instance.
    const isFree = bare !== name && bare !== '' && bare !== '__proto__' && !Object.hasOwn(fields, bare);
    define(made, isFree && !isOwn ? bare : name, value, true);
    if (isFree && name !== '__proto__') define(made, isOwn ? bare : name, value, false);
  }
  return made;
}

function refuse(name: string, reason: string): never {
  throw new AjsonError('class', `class ${shown(name)} ${reason}`);
}
