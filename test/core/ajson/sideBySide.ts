/** Prints the table of docs/ajson.md: what each library makes of ten values. */
import { statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { type Contender, contenders } from '../../../bench/contenders.ts';
import { Line } from '../../../bench/payloads.ts';
import { table } from '../../../bench/table.ts';
import { Decimal } from '../../../core/ajson/index.ts';

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

const line = new Line({
  sku: 'A-1',
  quantity: 2,
  price: new Decimal('1.10'),
  placedAt: new Date(1565012856447),
  sentAt: new Date(1577934245123),
  tags: new Set(['eu']),
});
const values: readonly (readonly [string, unknown])[] = [
  ['`new Date()`', new Date(1565012856447)],
  ['a `Set` in a `Map`', new Map([['a', new Set([1])]])],
  ['`2n ** 70n`', 2n ** 70n],
  ['`-0`', -0],
  ['`[undefined]`', [undefined]],
  ['`Uint8Array.of(1, 255)`', Uint8Array.of(1, 255)],
  ['`new URL(…)`', new URL('https://example.com/a?b#c')],
  ['an `ENOENT` of `fs`, with its `code`', thrownBy(() => statSync('/nowhere'))],
  ['an `AggregateError`', new AggregateError([new TypeError('a')], 'all failed')],
  ['an instance of a registered class', line],
];

/** Compares errors by name, message and fields, not by stack. */
function content(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { name, message, cause, errors, ...fields } = value as Error & { errors?: unknown[] };
  return [Object.getPrototypeOf(value), name, message, cause, errors?.map(content), fields];
}

function outcome({ write, read }: Contender, value: unknown): string {
  let text: string;
  try {
    text = write(value);
  } catch {
    return 'refused';
  }
  try {
    return isDeepStrictEqual(content(read(text)), content(value)) ? 'the same' : 'changed';
  } catch {
    return 'unreadable';
  }
}

const names = ['superjson', 'devalue', 'seroval', 'ajson'];
const peers = names.flatMap((name) => contenders.filter((contender) => contender.name === name));
console.log(
  table(
    ['value', ...names],
    values.map(([name, value]) => [name, ...peers.map((peer) => outcome(peer, value))]),
  ),
);
