import { DEFAULT_SCHEMA, load, Type } from 'js-yaml';

export interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
}

export interface CloudFormation {
  Globals?: { Function: Record<string, unknown> };
  Resources: Record<string, Resource>;
}

/** Makes js-yaml read the short forms of CloudFormation's functions like the long ones. */
const schema = DEFAULT_SCHEMA.extend([
  new Type('!Ref', { kind: 'scalar', construct: (id) => ({ Ref: id }) }),
  new Type('!Sub', { kind: 'scalar', construct: (text) => ({ 'Fn::Sub': text }) }),
  new Type('!GetAtt', { kind: 'scalar', construct: (path) => ({ 'Fn::GetAtt': String(path).split('.') }) }),
]);

/** Reads a YAML template. */
export function readTemplate(text: string): CloudFormation {
  return load(text, { schema }) as CloudFormation;
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

/** The statements of a policy as a sorted list with one action and one resource each. */
export function plainPolicy({ Statement }: { Statement: Statement[] }): string[] {
  return Statement.flatMap(({ Action, Resource, ...rest }) =>
    [Action].flat().flatMap((action) =>
      [Resource].flat().map((resource) => {
        const parts = Object.entries({ ...rest, Action: action, Resource: resource });
        return JSON.stringify(Object.fromEntries(parts.sort(([a], [b]) => (a < b ? -1 : 1))));
      }),
    ),
  ).sort();
}
