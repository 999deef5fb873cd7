import { DEFAULT_SCHEMA, load, Type } from 'js-yaml';

export interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
}

export interface CloudFormation {
  Globals?: { Function: Record<string, unknown> };
  Parameters?: Record<string, { Default: unknown }>;
  Conditions?: Record<string, unknown>;
  Resources: Record<string, Resource>;
}

/** Makes js-yaml read the short forms of CloudFormation's functions like the long ones. */
const schema = DEFAULT_SCHEMA.extend([
  new Type('!Ref', { kind: 'scalar', construct: (id) => ({ Ref: id }) }),
  new Type('!Sub', { kind: 'scalar', construct: (text) => ({ 'Fn::Sub': text }) }),
  new Type('!GetAtt', { kind: 'scalar', construct: (path) => ({ 'Fn::GetAtt': String(path).split('.') }) }),
  ...['If', 'Not', 'Equals'].map(
    (name) => new Type(`!${name}`, { kind: 'sequence', construct: (list) => ({ [`Fn::${name}`]: list }) }),
  ),
]);

/** Reads a YAML template. */
export function readTemplate(text: string): CloudFormation {
  return load(text, { schema }) as CloudFormation;
}

/** A template with values for its parameters: `Fn::If` is decided, and properties without a value are removed. */
export function withParameters(
  template: CloudFormation,
  values: Record<string, unknown> = {},
): CloudFormation {
  const { Parameters = {}, Conditions = {} } = template;
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== 'object' || value === null) return value;
    const [[name, argument] = ['', undefined]] = Object.entries(value);
    if (name === 'Ref' && argument === 'AWS::NoValue') return undefined;
    if (name === 'Ref' && Object.hasOwn(Parameters, argument))
      return values[argument] ?? Parameters[argument]?.Default;
    if (name === 'Fn::Not') return !resolve(argument[0]);
    if (name === 'Fn::Equals') return resolve(argument[0]) === resolve(argument[1]);
    if (name === 'Fn::If') return resolve(resolve(Conditions[argument[0]]) ? argument[1] : argument[2]);
    const entries = Object.entries(value).map(([key, item]) => [key, resolve(item)] as const);
    return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
  };
  return { ...template, Resources: resolve(template.Resources) as CloudFormation['Resources'] };
}

/**
 * Writes each reference in the form of `Fn::Sub`: `${Queue.Arn}`. References to resources, other than `AWS::…`, are
 * renamed by `rename`.
 */
export function plainReferences(value: unknown, rename: (id: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => plainReferences(item, rename));
  if (typeof value !== 'object' || value === null) return value;
  const [[name, argument] = ['', undefined], ...others] = Object.entries(value);
  if (others.length === 0) {
    const plain = (id: string) => (id.startsWith('AWS::') ? id : rename(id));
    if (name === 'Ref') return `\${${plain(String(argument))}}`;
    if (name === 'Fn::GetAtt') return `\${${plain(argument[0])}.${argument[1]}}`;
    if (name === 'Fn::Sub')
      return String(argument).replace(/(?<=\$\{)[\w:]+/g, (id) => (id.includes('::') ? id : rename(id)));
    if (name === 'Fn::Join')
      return argument[1].map((part: unknown) => plainReferences(part, rename)).join(argument[0]);
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainReferences(item, rename)]));
}

interface Statement {
  Action: string | string[];
  Resource: string | string[];
}

/** The statements of a policy as a sorted list with one action and one resource each, without duplicates. */
export function plainPolicy({ Statement }: { Statement: Statement[] }): string[] {
  const statements = Statement.flatMap(({ Action, Resource, ...rest }) =>
    [Action].flat().flatMap((action) =>
      [Resource].flat().map((resource) => {
        const parts = Object.entries({ ...rest, Action: action, Resource: resource });
        return JSON.stringify(Object.fromEntries(parts.sort(([a], [b]) => (a < b ? -1 : 1))));
      }),
    ),
  );
  return [...new Set(statements)].sort();
}
