import { AjsonError } from '../errors.ts';
import { Datetime } from './Datetime.ts';
import { Decimal } from './Decimal.ts';
import { type Kind, OWN, readDate, SHARED, writeDate } from './kinds.ts';
import { LIMITS } from './limits.ts';
import type { ChosenOptions } from './settings.ts';
import { fail, theirs } from './Trace.ts';
import { anyToWire } from './toWire.ts';

/** A kind whose values are told by asking, not by their prototype. */
export interface ChosenKind extends Kind {
  readonly name: string;
  is(value: unknown): boolean;
}

/** The kinds that the maker of an ajson has chosen: for datetimes, for decimals, and others. */
export function chosenKinds(
  { datetime, decimal: Chosen, custom }: ChosenOptions,
  maxDigits: number = LIMITS.maxDigits,
): ChosenKind[] {
  const kinds: ChosenKind[] = [];
  if (datetime)
    kinds.push({
      name: 'datetime',
      holds: 'an object',
      classes: [],
      is: (value) => datetime.is(value),
      write: (value, writing, depth) =>
        writeDate(
          theirs(() => datetime.toJson(value)),
          writing,
          depth,
        ),
      read(held) {
        const date = readDate(held);
        const full = date instanceof Datetime ? date : new Datetime(date.getTime());
        return theirs(() => datetime.parseJson(full));
      },
    });
  if (Chosen)
    kinds.push({
      name: 'decimal',
      holds: 'a string',
      classes: [],
      is: (value) => value instanceof Chosen,
      write(value: object) {
        // The sign of -0 is in `valueOf` alone.
        const plain = value.valueOf();
        return typeof plain === 'string' ? plain : String(value);
      },
      read(digits: string) {
        if (digits.length > maxDigits) fail('digits', `${digits.length} digits: more than maxDigits`);
        return new Decimal(digits) && new Chosen(digits);
      },
    });
  for (const [name, kind] of Object.entries(custom ?? {})) {
    if (SHARED.has(name) || OWN.has(name))
      throw new AjsonError('class', `kind ${name} has a name of the format itself`);
    kinds.push({
      name,
      classes: [],
      is: (value) => kind.is(value),
      write: (value, writing, depth) =>
        anyToWire(
          writing,
          theirs(() => kind.toJson(value)),
          depth,
        ),
      read: (held) => theirs(() => kind.parseJson(held)),
    });
  }
  return kinds;
}
