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
export function readError({ name, fields, ...hidden }: Fields): Error | undefined {
  const Type = ERRORS.get(name);
  if (!Type) return undefined;
  const error = new Type();
  for (const key of ['message', 'cause'])
    if (Object.hasOwn(hidden, key)) define(error, key, hidden[key], false);
  for (const [key, value] of Object.entries(fields ?? {})) define(error, key, value, true);
  return error;
}

/** Makes a member the object's own, whatever it is called. */
export function define(object: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(object, key, { value, enumerable, writable: true, configurable: true });
}

/** The fields that describe an error of the type named: all but its stack. */
export function errorFields(name: string, error: Error): Fields {
  const fields: Fields = { name, fields: { ...error } };
  if (Object.hasOwn(error, 'message')) fields['message'] = error.message;
  if (Object.hasOwn(error, 'cause')) fields['cause'] = error.cause;
  return fields;
}
