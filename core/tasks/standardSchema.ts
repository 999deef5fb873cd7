/** The interface of zod, valibot, arktype and other schema libraries: https://standardschema.dev */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** The properties of the interface. */
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaOutcome<Output> | Promise<SchemaOutcome<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

type SchemaOutcome<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** A problem that a schema finds in a value, and its path. */
export interface SchemaIssue {
  /** The text of the problem. */
  readonly message: string;
  /** The path of the value. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * A schema that has a type and checks nothing at run time.
 *
 * @example
 * defineTasks({ report: { kwargs: typed<Analysis>(), result: typed<void>() } });
 */
export function typed<T>(): StandardSchema<T> {
  return {
    '~standard': { version: 1, vendor: 'algernon-middy', validate: (value) => ({ value: value as T }) },
  };
}
