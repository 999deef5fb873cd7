/** The part of js-yaml that the tests use. The package has no types. */
declare module 'js-yaml' {
  export class Type {
    constructor(
      tag: string,
      options: { kind: 'scalar' | 'sequence' | 'mapping'; construct(value: unknown): unknown },
    );
  }
  export interface Schema {
    extend(types: readonly Type[]): Schema;
  }
  export const DEFAULT_SCHEMA: Schema;
  export function load(text: string, options?: { schema: Schema }): unknown;
}
