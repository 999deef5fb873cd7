const monthNames =
  'january february march april may june july august september october november december'.split(' ');
const namedMonth = /^([a-z]{3,})\.? +(\d{1,2}),? +(\d{4})$/i;
const isoDate = /^(\d{4})-(\d\d)-(\d\d)([T ].*)?$/;
const timeZone = /(?:Z|[+-]\d\d:?\d\d)$/;

/**
 * Reads `Jan 1 2000`, `January 1, 2000`, `2000-01-01` or `2000-01-01T00:00:00Z`. A date without a zone is UTC.
 * Ambiguous dates such as 1/2/2000 are refused.
 *
 * @returns the date, or undefined if the text is not a date.
 */
export function parseDate(text: string): Date | undefined {
  const named = namedMonth.exec(text);
  if (named) {
    const [, name = '', day, year] = named;
    const month = monthNames.findIndex((full) => full.startsWith(name.toLowerCase()));
    return dayOf(Number(year), month, Number(day));
  }
  const [, year, month, day, time] = isoDate.exec(text) ?? [];
  const date = dayOf(Number(year), Number(month) - 1, Number(day));
  if (date === undefined || time === undefined) return date;
  const moment = new Date(`${year}-${month}-${day}T${time.slice(1)}${timeZone.test(time) ? '' : 'Z'}`);
  return Number.isNaN(moment.getTime()) ? undefined : moment;
}

/** The date if the day exists. `Date` would turn February 30 into March 1. */
function dayOf(year: number, month: number, day: number): Date | undefined {
  const date = new Date(Date.UTC(year, month, day));
  const kept = date.getUTCFullYear() === year && date.getUTCMonth() === month && date.getUTCDate() === day;
  return kept ? date : undefined;
}
