import { expect, test } from '@jest/globals';
import { openMarketCalendar } from '../../../examples/market/openMarketCalendar.ts';

// The exchange's own counts. It was also closed on four days of 2001 and one of 2004 that follow no rule.
test.each([
  [2000, 252],
  [2003, 252],
  [2005, 252],
  [2009, 252],
  [2015, 252],
  [2021, 252],
  [2022, 251],
  [2023, 250],
  [2024, 252],
])('%i had %i trading days', async (year, days) => {
  const calendar = await openMarketCalendar();
  expect(calendar.tradingDays(new Date(`${year - 1}-12-31`), new Date(`${year}-12-31`))).toBe(days);
});

test.each([
  ['Good Friday', '2008-03-21'],
  ['Good Friday', '2024-03-29'],
  ['Martin Luther King Day', '1998-01-19'],
  ["Presidents' Day", '2010-02-15'],
  ['Memorial Day', '2010-05-31'],
  ['Juneteenth, on Monday', '2022-06-20'],
  ['Independence Day, on Friday', '2009-07-03'],
  ['Thanksgiving', '2009-11-26'],
  ['a Saturday', '2010-01-16'],
])('%s, %s, is a holiday', async (_, day) => {
  const date = new Date(day);
  const before = new Date(date.getTime() - 86_400_000);
  expect((await openMarketCalendar()).tradingDays(before, date)).toBe(0);
});

test('excludes the first day and includes the last', async () => {
  const calendar = await openMarketCalendar();
  const [monday, tuesday] = [new Date('2010-03-01'), new Date('2010-03-02')];
  expect(calendar.tradingDays(monday, tuesday)).toBe(1);
  expect(calendar.tradingDays(monday, monday)).toBe(0);
  expect(calendar.tradingDays(tuesday, monday)).toBe(0);
});
