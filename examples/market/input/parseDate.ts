/** Whether 3/4/2024 is the 3rd of April or the 4th of March. */
export type DayOrder = 'day-month' | 'month-day';

const monthNames =
  'january february march april may june july august september october november december'.split(' ');
const time = String.raw`(?:[T ] *(\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?) *(Z|UTC|[+-]\d\d(?::?\d\d)?)?)?$`;
const yearFirst = new RegExp(String.raw`^(\d{4})([-/.]?)(\d\d)\2(\d\d)${time}`, 'i');
const yearLast = new RegExp(String.raw`^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d\d)${time}`, 'i');
const monthFirst = /^([a-z]{3,})\.? +(\d{1,2}),? +(\d{4})$/i;
const monthSecond = /^(\d{1,2})\.?[ -]+([a-z]{3,})\.?,?[ -]+(\d{4})$/i;

/**
 * Reads `2000-01-31`, `20000131`, `2000-01-31T16:00:00+01:00`, `Jan 31, 2000`, `31-Jan-2000`, `31.1.2000` and, in the given
 * order, `1/31/2000`. A date without a zone is UTC. Years of two digits are those from 1969 to 2068.
 *
 * @returns the date, or undefined if the text is not a date.
 */
export function parseDate(text: string, order: DayOrder = 'day-month'): Date | undefined {
  const [, year, , month, day, hours, zone] = yearFirst.exec(text) ?? [];
  if (year) return momentOf(Number(year), Number(month), Number(day), hours, zone);
  const numbers = yearLast.exec(text);
  if (numbers) {
    const [, a, , b, last = '', hours, zone] = numbers;
    const [day, month] = order === 'day-month' ? [a, b] : [b, a];
    return momentOf(fullYear(last), Number(month), Number(day), hours, zone);
  }
  const [, name = '', dayAfter, yearAfter] = monthFirst.exec(text) ?? [];
  if (name) return momentOf(Number(yearAfter), monthOf(name), Number(dayAfter));
  const [, dayBefore, monthName = '', yearOf] = monthSecond.exec(text) ?? [];
  return momentOf(Number(yearOf), monthOf(monthName), Number(dayBefore));
}

/**
 * Finds the order in which a column of dates is written, from all its dates: one with a day above 12 settles it for all.
 * Dates with points have the day first, unless that is impossible.
 *
 * @returns the order, or undefined if both fit and mean different days.
 */
export function findDayOrder(dates: readonly string[]): DayOrder | undefined {
  const readable = (order: DayOrder) => dates.filter((text) => parseDate(text, order)).length;
  const [dayFirst, monthFirst] = [readable('day-month'), readable('month-day')];
  if (dayFirst !== monthFirst) return dayFirst > monthFirst ? 'day-month' : 'month-day';
  return dates.some(isAmbiguousDate) ? undefined : 'day-month';
}

/** Whether a date has two readings, such as 3/4/2024. */
export function isAmbiguousDate(text: string): boolean {
  const [dayFirst, monthFirst] = [parseDate(text, 'day-month'), parseDate(text, 'month-day')];
  if (!dayFirst || !monthFirst || /\d\.\d/.test(text)) return false;
  return dayFirst.getTime() !== monthFirst.getTime();
}

function monthOf(name: string): number {
  return 1 + monthNames.findIndex((full) => name !== '' && full.startsWith(name.toLowerCase()));
}

function fullYear(digits: string): number {
  const year = Number(digits);
  if (digits.length > 2) return year;
  return year < 69 ? 2000 + year : 1900 + year;
}

/** The moment, if its day exists: `Date` would turn February 30 into March 1. */
function momentOf(year: number, month: number, day: number, hours?: string, zone = 'Z'): Date | undefined {
  const date = new Date(Date.UTC(year, month - 1, day));
  const [isoDay, isoMonth, isoYear] = [date.getUTCDate(), date.getUTCMonth() + 1, date.getUTCFullYear()];
  if (isoDay !== day || isoMonth !== month || isoYear !== year) return undefined;
  if (hours === undefined) return date;
  const [hour = 0, minute = 0] = zone.match(/\d\d/g)?.map(Number) ?? [];
  const offset = (zone.startsWith('-') ? -1 : 1) * (hour * 60 + minute) * 60_000;
  const moment = new Date(`${date.toISOString().slice(0, 10)}T${hours.replace(/^\d:/, '0$&')}Z`);
  return Number.isNaN(moment.getTime()) ? undefined : new Date(moment.getTime() - offset);
}
