import fc from 'fast-check';
import { AlgObject, Datetime, Decimal, FrozenSet, tuple } from '../../../core/ajson/index.ts';

/** A class with any fields. */
export class Box extends AlgObject {
  readonly first: unknown;
  readonly second: unknown;

  constructor(first: unknown, second: unknown) {
    super();
    this.first = first;
    this.second = second;
  }

  static parseJson({ first, second }: { first: unknown; second: unknown }): Box {
    return new Box(first, second);
  }
}

const key = fc.oneof(
  fc.string(),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'value', '1', '2', '_alg_module', '\\u005f'),
);
const year = { min: new Date(-62135596800000), max: new Date(253402300799999), noInvalidDate: true };
const now = { min: new Date(0), max: new Date(4102444800000), noInvalidDate: true };

/** An object with only own keys, `__proto__` included. */
function own(entries: [string, unknown][]): object {
  return Object.fromEntries(entries);
}

const scalar = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.bigInt().filter((value) => !Number.isSafeInteger(Number(value))),
  fc.constantFrom(null, true, false, -0, 2 ** 53, 1e21, 9007199254740993n, 9007199254740992n, '1.7e+308'),
  fc.date(year),
  fc
    .tuple(fc.date(now), fc.integer({ min: 1, max: 999 }))
    .map(([date, micros]) => new Datetime(+date, micros)),
  fc.stringMatching(/^-?\d{1,30}(\.\d{1,30})?(E[+-]\d{1,9})?$/).map((digits) => new Decimal(digits)),
);

/** Values of every kind, nested in every kind of container. */
export const anyValue: fc.Arbitrary<unknown> = fc.letrec((tie) => {
  const any = tie('any');
  const list = fc.array(any, { maxLength: 4 });
  const members = fc.array(tie('member'), { maxLength: 4 });
  return {
    // Python must be able to hash the member of a set: other arrays and sets would come back as other kinds.
    member: fc.oneof(
      { depthSize: 'small' },
      scalar,
      members.map((items) => tuple(...items)),
      members.map((items) => new FrozenSet(items)),
      fc.tuple(tie('member'), tie('member')).map(([first, second]) => new Box(first, second)),
    ),
    any: fc.oneof(
      { depthSize: 'small' },
      scalar,
      fc.uint8Array(),
      fc.webUrl().map((url) => new URL(url)),
      list,
      fc.array(fc.oneof(any, fc.constant(undefined)), { maxLength: 4 }),
      list.map((items) => tuple(...items)),
      members.map((items) => new Set(items)),
      members.map((items) => new FrozenSet(items)),
      fc.array(fc.tuple(any, any), { maxLength: 4 }).map((items) => new Map(items)),
      fc.array(fc.tuple(key, any), { maxLength: 5 }).map(own),
      fc.tuple(any, any).map(([first, second]) => new Box(first, second)),
      fc.tuple(fc.string(), any).map(([message, cause]) => new RangeError(message, { cause })),
    ),
  };
}).any;
