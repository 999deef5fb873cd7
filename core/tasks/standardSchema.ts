/** What zod, valibot, arktype and others agree on: https://standardschema.dev */
export interface StandardSchema<Input = unknown, Output = Input> {
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

/** What a schema finds wrong with a value, and where. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * A schema that checks nothing, where types are enough.
 *
 * @example
 * defineTasks({ report: { kwargs: type<Analysis>(), result: type<void>() } });
 */
export function type<T>(): StandardSchema<T> {
  return {
    '~standard': { version: 1, vendor: 'algernon-middy', validate: (value) => ({ value: value as T }) },
  };
}
