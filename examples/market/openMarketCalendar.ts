/** The trading days. */
export interface MarketCalendar {
  /** The number of trading days after `from`, up to and including `to`. */
  tradingDays(from: Date, to: Date): number;
}

const dayMillis = 86_400_000;
const [monday, thursday] = [1, 4];

/**
 * Opens the calendar of the New York Stock Exchange: weekdays without its holidays.
 *
 * It computes the holidays of each year once, so it is worth keeping. In your worker this could be a database or an
 * API that is slow to connect.
 */
export async function openMarketCalendar(): Promise<MarketCalendar> {
  const years = new Map<number, Set<number>>();
  const holidaysOf = (year: number): Set<number> => {
    const cached = years.get(year) ?? new Set(holidays(year).map(Number));
    years.set(year, cached);
    return cached;
  };
  return {
    tradingDays(from, to) {
      let days = 0;
      const last = Math.floor(to.getTime() / dayMillis);
      for (let day = Math.floor(from.getTime() / dayMillis) + 1; day <= last; day += 1) {
        const date = new Date(day * dayMillis);
        if (!isWeekend(date) && !holidaysOf(date.getUTCFullYear()).has(day * dayMillis)) days += 1;
      }
      return days;
    },
  };
}

function holidays(year: number): Date[] {
  const all = [
    observed(year, 0, 1),
    weekday(year, 1, monday, 3),
    goodFriday(year),
    lastMonday(year, 4),
    observed(year, 6, 4),
    weekday(year, 8, monday, 1),
    weekday(year, 10, thursday, 4),
    observed(year, 11, 25),
  ];
  if (year >= 1998) all.push(weekday(year, 0, monday, 3));
  if (year >= 2022) all.push(observed(year, 5, 19));
  return all;
}

const utc = (year: number, month: number, day: number): Date => new Date(Date.UTC(year, month, day));

const isWeekend = (date: Date): boolean => date.getUTCDay() === 0 || date.getUTCDay() === 6;

/** A holiday on a Sunday moves to Monday, one on a Saturday to Friday. */
function observed(year: number, month: number, day: number): Date {
  const shift = [1, 0, 0, 0, 0, 0, -1][utc(year, month, day).getUTCDay()] ?? 0;
  return utc(year, month, day + shift);
}

/** The nth weekday of a kind in a month. */
function weekday(year: number, month: number, dayOfWeek: number, nth: number): Date {
  const toFirst = (dayOfWeek - utc(year, month, 1).getUTCDay() + 7) % 7;
  return utc(year, month, 1 + toFirst + 7 * (nth - 1));
}

function lastMonday(year: number, month: number): Date {
  return new Date(weekday(year, month + 1, monday, 1).getTime() - 7 * dayMillis);
}

/** Two days before Easter Sunday, by Oudin's algorithm. */
function goodFriday(year: number): Date {
  const century = Math.floor(year / 100);
  const golden = year % 19;
  const k = Math.floor((century - 17) / 25);
  let moon = (century - Math.floor(century / 4) - Math.floor((century - k) / 3) + 19 * golden + 15) % 30;
  const late = Math.floor(moon / 28);
  moon -= late * (1 - late * Math.floor(29 / (moon + 1)) * Math.floor((21 - golden) / 11));
  const sunday = (year + Math.floor(year / 4) + moon + 2 - century + Math.floor(century / 4)) % 7;
  return utc(year, 2, 28 + moon - sunday - 2);
}
