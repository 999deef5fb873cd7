/** A field of a form for the arguments of a task. */
export interface SchemaField {
  name: string;
  /** `json`: any other value, typed as JSON. */
  kind: 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'json';
  isRequired: boolean;
  description: string | undefined;
  /** The choices, as JSON. */
  choices: readonly string[];
  /** The default value: text, or JSON. */
  initial: string;
}

type Schema = Readonly<Record<string, unknown>>;

/** The fields of a JSON Schema of an object with properties; undefined for any other. */
export function schemaFields(schema: unknown): SchemaField[] | undefined {
  const { type, properties, required } = Object(schema) as Schema;
  if (type !== 'object' || typeof properties !== 'object' || properties === null) return undefined;
  const names = Array.isArray(required) ? required : [];
  return Object.entries(properties as Schema).map(([name, given]) => {
    const property = Object(given) as Schema;
    const kind = kindOf(property);
    const { description, title, default: initial } = property;
    return {
      name,
      kind,
      isRequired: names.includes(name) && initial === undefined,
      description: [description, title].find((text) => typeof text === 'string') as string | undefined,
      choices: choicesOf(property) ?? [],
      initial: initial === undefined ? '' : kind === 'text' ? String(initial) : JSON.stringify(initial),
    };
  });
}

function kindOf(property: Schema): SchemaField['kind'] {
  if (choicesOf(property)) return 'choice';
  switch (property['type']) {
    case 'string':
      return 'text';
    case 'number':
    case 'integer':
    case 'boolean':
      return property['type'];
    default:
      return 'json';
  }
}

function choicesOf({ enum: values, const: only }: Schema): string[] | undefined {
  if (Array.isArray(values) && values.length > 0) return values.map((value) => JSON.stringify(value));
  return only === undefined ? undefined : [JSON.stringify(only)];
}

/**
 * The value of a field as JSON text; undefined if it is left out. Numbers keep their digits.
 *
 * @throws Error for a value that the field cannot have
 */
export function fieldJson({ name, kind, isRequired }: SchemaField, value: string): string | undefined {
  const text = value.trim();
  if (kind === 'text' && (value !== '' || isRequired)) return JSON.stringify(value);
  if (text === '') {
    if (isRequired) throw new Error(`${name} is required.`);
    return undefined;
  }
  if (kind === 'number' && !/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text))
    throw new Error(`${name} must be a number.`);
  if (kind === 'integer' && !/^-?\d+$/.test(text)) throw new Error(`${name} must be an integer.`);
  return kind === 'number' || kind === 'integer' ? text.replace(/^(-?)0+(?=\d)/, '$1') : text;
}
