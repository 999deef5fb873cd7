import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findDayOrder, isAmbiguousDate, parseDate } from '../../../../examples/market/input/parseDate.ts';

test.each([
  ['Jan 1 2000', '2000-01-01T00:00:00.000Z'],
  ['January 31, 2000', '2000-01-31T00:00:00.000Z'],
  ['sept. 9 1999', '1999-09-09T00:00:00.000Z'],
  ['MAY 05 2010', '2010-05-05T00:00:00.000Z'],
  ['2000-02-29', '2000-02-29T00:00:00.000Z'],
  ['2000-02-29T12:30:15', '2000-02-29T12:30:15.000Z'],
  ['2000-02-29 12:30', '2000-02-29T12:30:00.000Z'],
  ['2000-02-29T12:30:15.250Z', '2000-02-29T12:30:15.250Z'],
  ['2000-02-29T00:30:00+02:00', '2000-02-28T22:30:00.000Z'],
  ['2000-02-29 00:30:00 -0330', '2000-02-29T04:00:00.000Z'],
  ['2000-02-29 00:30 UTC', '2000-02-29T00:30:00.000Z'],
  ['20000229', '2000-02-29T00:00:00.000Z'],
  ['2000/02/29', '2000-02-29T00:00:00.000Z'],
  ['29-Feb-2000', '2000-02-29T00:00:00.000Z'],
  ['29. February 2000', '2000-02-29T00:00:00.000Z'],
  ['29.2.2000', '2000-02-29T00:00:00.000Z'],
  ['1/2/2000', '2000-02-01T00:00:00.000Z'],
  ['31.12.68 9:05', '2068-12-31T09:05:00.000Z'],
  ['31.12.69', '1969-12-31T00:00:00.000Z'],
])('%s is %s', (text, iso) => {
  expect(parseDate(text)?.toISOString()).toBe(iso);
});

test.each([
  '',
  '31/12-2000',
  '1/13/2000',
  '31.12.200',
  '2000-01/01',
  '1 2 2000',
  '2000',
  '2000-1-1',
  '2000-02-30',
  '1999-02-29',
  'Feb 29 1999',
  'Ja 1 2000',
  'Janus 1 2000',
  'Mayhem 1 2000',
  'Jan 1 00',
  '0050-01-01',
  '2000-01-01T25:00',
  '2000-01-01 soon',
  '2000-13-01',
])('%j is not a date', (text) => {
  expect(parseDate(text)).toBeUndefined();
});

test('reads any day in any format', () => {
  const day = fc.date({ min: new Date('1800-01-01'), max: new Date('2200-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(day, (date) => {
      const iso = date.toISOString();
      const named = date.toLocaleDateString('en-US', { timeZone: 'UTC', dateStyle: 'medium' });
      expect(parseDate(iso)).toEqual(date);
      expect(parseDate(iso.slice(0, 10))).toEqual(new Date(iso.slice(0, 10)));
      expect(parseDate(named)).toEqual(new Date(iso.slice(0, 10)));
    }),
  );
});

test('reads the month first if asked to', () => {
  expect(parseDate('1/31/2000', 'month-day')).toEqual(new Date('2000-01-31'));
  expect(parseDate('31/1/2000', 'month-day')).toBeUndefined();
});

test.each([
  [['1/2/2000', '31/1/2000'], 'day-month'],
  [['1/2/2000', '1/31/2000'], 'month-day'],
  [['1/2/2000', '2/2/2000'], undefined],
  [['2/2/2000', '2000-01-02'], 'day-month'],
  [['1.2.2000'], 'day-month'],
  [['1.31.2000'], 'month-day'],
  [['1/2/2000', 'soon'], undefined],
  [[], 'day-month'],
])('the order of %j is %j', (dates, order) => {
  expect(findDayOrder(dates)).toBe(order);
});

test('any column of days has its order, or a day with two readings', () => {
  const day = fc.date({ min: new Date('1970-01-01'), max: new Date('2060-01-01'), noInvalidDate: true });
  const locales = fc.constantFrom(['en-US', 'month-day'] as const, ['en-GB', 'day-month'] as const);
  fc.assert(
    fc.property(fc.array(day, { minLength: 1 }), locales, (days, [locale, order]) => {
      const texts = days.map((date) => date.toLocaleDateString(locale, { timeZone: 'UTC' }));
      const found = findDayOrder(texts);
      if (found === undefined) expect(texts.some(isAmbiguousDate)).toBe(true);
      else if (
        texts.some(
          (text) => parseDate(text, 'day-month')?.getTime() !== parseDate(text, 'month-day')?.getTime(),
        )
      )
        expect(found).toBe(order);
    }),
  );
});
