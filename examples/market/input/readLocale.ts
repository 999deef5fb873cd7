import { InputError } from './InputError.ts';
import type { DayOrder } from './parseDate.ts';
import type { DecimalMark } from './parsePrice.ts';

/** How dates and prices are written in a language and a country. */
export interface Locale {
  order: DayOrder;
  mark: DecimalMark;
}

/**
 * The customs of a language tag such as `de` or `en-GB`.
 *
 * @throws InputError when Node does not know it
 */
export function readLocale(tag: string): Locale {
  if (!isSupported(tag))
    throw new InputError(`--locale takes a language such as de or en-GB, not ${JSON.stringify(tag)}`);
  const number = new Intl.NumberFormat(tag, { numberingSystem: 'latn' }).formatToParts(1.5);
  const date = new Intl.DateTimeFormat(tag, { calendar: 'gregory' }).formatToParts(0).map(({ type }) => type);
  return {
    order: date.indexOf('day') < date.indexOf('month') ? 'day-month' : 'month-day',
    mark: number.some(({ type, value }) => type === 'decimal' && value === ',') ? ',' : '.',
  };
}

function isSupported(tag: string): boolean {
  try {
    return Intl.NumberFormat.supportedLocalesOf(tag).length === 1;
  } catch {
    return false;
  }
}
