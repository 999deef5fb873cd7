import type { Fields } from './AlgObject.ts';

const TYPES: readonly ErrorConstructor[] = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
];

/** The errors of the language itself, by name. */
export const ERRORS: ReadonlyMap<unknown, ErrorConstructor> = new Map(TYPES.map((type) => [type.name, type]));

/** The error that its fields describe. Its stack is that of the reading. */
export function readError(fields: Fields): Error | undefined {
  const Type = ERRORS.get(fields['name']);
  if (!Type) return undefined;
  const error = new Type();
  for (const [hidden, source] of [
    [true, fields],
    [false, fields['fields']],
  ] as const) {
    for (const [key, value] of Object.entries(source ?? {})) {
      if (hidden && key !== 'message' && key !== 'cause') continue;
      Object.defineProperty(error, key, { value, enumerable: !hidden, writable: true, configurable: true });
    }
  }
  return error;
}

/** The fields that describe an error of the type named: all but its stack. */
export function errorFields(name: string, error: Error): Fields {
  const fields: Fields = { name };
  if (Object.hasOwn(error, 'message')) fields['message'] = error.message;
  if (Object.hasOwn(error, 'cause')) fields['cause'] = error.cause;
  const own = { ...error };
  if (Object.keys(own).length > 0) fields['fields'] = own;
  return fields;
}
