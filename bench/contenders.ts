import * as devalue from 'devalue';
import * as seroval from 'seroval';
import superjson from 'superjson';
import { Typeson } from 'typeson';
import { ajson, Decimal } from '../core/ajson/index.ts';
import { Line } from './payloads.ts';

/** A library that writes and reads values. */
export interface Contender {
  readonly name: string;
  write(value: unknown): string;
  read(text: string): unknown;
}

superjson.registerCustom<Line, string>(
  {
    isApplicable: (value): value is Line => value instanceof Line,
    serialize: (line) => superjson.stringify(line.toJson()),
    deserialize: (text) => new Line(superjson.parse(text)),
  },
  'Line',
);
superjson.registerCustom<Decimal, string>(
  {
    isApplicable: (value): value is Decimal => value instanceof Decimal,
    serialize: String,
    deserialize: (digits) => new Decimal(digits),
  },
  'Decimal',
);

const reducers = {
  Line: (value: unknown) => value instanceof Line && value.toJson(),
  Decimal: (value: unknown) => value instanceof Decimal && String(value),
};
const revivers = {
  Line: (fields: ConstructorParameters<typeof Line>[0]) => new Line(fields),
  Decimal: (digits: string) => new Decimal(digits),
};

const plugins = [
  seroval.createPlugin<Line, { fields: seroval.SerovalNode }>({
    tag: 'Line',
    test: (value) => value instanceof Line,
    parse: { sync: (value, context) => ({ fields: context.parse(value.toJson()) }) },
    serialize: () => '',
    deserialize: (node, context) =>
      new Line(context.deserialize(node.fields) as ConstructorParameters<typeof Line>[0]),
  }),
  seroval.createPlugin<Decimal, { digits: seroval.SerovalNode }>({
    tag: 'Decimal',
    test: (value) => value instanceof Decimal,
    parse: { sync: (value, context) => ({ digits: context.parse(String(value)) }) },
    serialize: () => '',
    deserialize: (node, context) => new Decimal(context.deserialize(node.digits) as string),
  }),
];

const typeson = new Typeson().register({
  Date: [
    (value: unknown) => value instanceof Date,
    (date: Date) => date.getTime(),
    (time: number) => new Date(time),
  ],
  Set: [
    (value: unknown) => value instanceof Set,
    (set: Set<unknown>) => [...set],
    (items: unknown[]) => new Set(items),
  ],
  bigint: [(value: unknown) => typeof value === 'bigint', String, BigInt],
  Decimal: [(value: unknown) => value instanceof Decimal, String, (digits: string) => new Decimal(digits)],
  Line: [
    (value: unknown) => value instanceof Line,
    (line: Line) => line.toJson(),
    (fields: ConstructorParameters<typeof Line>[0]) => new Line(fields),
  ],
});

/** The compared libraries, each set up for the payloads' classes. */
export const contenders: readonly Contender[] = [
  { name: 'ajson', write: (value) => ajson.dumps(value), read: (text) => ajson.loads(text) },
  { name: 'JSON', write: (value) => JSON.stringify(value), read: (text) => JSON.parse(text) },
  { name: 'superjson', write: (value) => superjson.stringify(value), read: (text) => superjson.parse(text) },
  {
    name: 'devalue',
    write: (value) => devalue.stringify(value, reducers),
    read: (text) => devalue.parse(text, revivers),
  },
  {
    name: 'seroval',
    write: (value) => JSON.stringify(seroval.toJSON(value, { plugins })),
    read: (text) => seroval.fromJSON(JSON.parse(text), { plugins }),
  },
  {
    name: 'typeson',
    write: (value) => String(typeson.stringifySync(value)),
    read: (text) => typeson.parseSync(text),
  },
];
