import { AlgObject, ajson, Decimal } from '../core/ajson/index.ts';

/** A line of an order: an instance of a class on the wire. */
export class Line extends AlgObject {
  static {
    ajson.register(Line, { module: 'bench.models', name: 'Line' });
  }

  readonly sku: string;
  readonly quantity: number;
  readonly price: Decimal;
  readonly placedAt: Date;
  readonly sentAt: Date;
  readonly tags: Set<string>;

  constructor(fields: Omit<Line, 'toJson' | 'equals'>) {
    super();
    this.sku = fields.sku;
    this.quantity = fields.quantity;
    this.price = fields.price;
    this.placedAt = fields.placedAt;
    this.sentAt = fields.sentAt;
    this.tags = fields.tags;
  }

  static parseJson(fields: Omit<Line, 'toJson' | 'equals'>): Line {
    return new Line(fields);
  }
}

/** A value to write and read, with a description. */
export interface Payload {
  readonly name: string;
  readonly about: string;
  readonly value: unknown;
}

function record(index: number): Record<string, unknown> {
  return {
    id: index,
    customer: `customer-${index % 97}`,
    email: `someone.${index}@example.com`,
    total: index * 1.25,
    paid: index % 3 === 0,
    note: index % 5 === 0 ? null : 'left at the door, "twice"',
    address: { street: `${index} Long Street`, city: 'Utrecht', zip: '3511 AB' },
    items: [index, index + 1, index + 2],
  };
}

function dated(index: number): Record<string, unknown> {
  return {
    ...record(index),
    placed: new Date(1565012856447 + index * 86_400_123),
    sent: new Date(1577934245123 + index * 1000),
    labels: new Set(['eu', 'vip', `lane-${index % 7}`]),
  };
}

function line(index: number): Record<string, unknown> {
  return {
    ...record(index),
    line: new Line({
      sku: `A-${index}`,
      quantity: index % 11,
      price: new Decimal(`${index}.10`),
      placedAt: new Date(1565012856447 + index * 86_400_123),
      sentAt: new Date(1577934245123 + index * 1000),
      tags: new Set(['eu', 'vip', `lane-${index % 7}`]),
    }),
  };
}

const list = <T>(length: number, make: (index: number) => T): T[] =>
  Array.from({ length }, (_, index) => make(index));

/** The payloads of the comparison. */
export const payloads: readonly Payload[] = [
  {
    name: 'A',
    about: 'a task message, plain',
    value: {
      task_name: 'resize',
      task_kwargs: { size: [640, 480], rows: list(4, record) },
      callback: 'store#report',
    },
  },
  { name: 'B', about: '500 records, plain', value: list(500, record) },
  { name: 'D', about: 'B and one Date', value: [...list(500, record), new Date(1565012856447)] },
  { name: 'F', about: '230 records, each with two Dates and a Set of 3', value: list(230, dated) },
  {
    name: 'C',
    about: '168 records, each with an instance of a class, two Dates, a Set, a decimal',
    value: list(168, line),
  },
  {
    name: 'G',
    about: 'F with an integer past 2^53 in each record',
    value: list(230, (index) => ({ ...dated(index), serial: 9007199254740993n + BigInt(index) })),
  },
];
