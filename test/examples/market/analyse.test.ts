import { describe, expect, test } from '@jest/globals';
import Big from 'big.js';
import fc from 'fast-check';
import { analyse } from '../../../examples/market/analyse.ts';
import { PriceSeries } from '../../../examples/market/PriceSeries.ts';
import { makeReport } from './makeReport.ts';

describe('analyse', () => {
  test('finds the first, last and highest price in any order', async () => {
    const { analysis } = await makeReport('A', {
      '2001-03-01': '8',
      '2000-01-03': '4.50',
      '2000-06-01': '9',
    });
    expect(analysis).toMatchObject({
      count: 3,
      first: { date: new Date('2000-01-03'), price: new Big('4.5') },
      last: { date: new Date('2001-03-01'), price: new Big('8') },
      highest: { date: new Date('2000-06-01'), price: new Big('9') },
      years: new Set([2000, 2001]),
    });
    expect(analysis.change).toBeCloseTo(8 / 4.5 - 1, 12);
  });

  test('of several highest prices returns the first', async () => {
    const { analysis } = await makeReport('A', { '2000-01-03': '9', '2000-01-04': '9.0' });
    expect(analysis.highest.date).toEqual(new Date('2000-01-03'));
  });

  test('sums cents exactly, where floating point does not', () => {
    const calendar = { tradingDays: () => 1 };
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 1n, max: 10n ** 20n }), { minLength: 1 }), (cents) => {
        const points = cents.map((cent, i) => ({ date: new Date(i), price: new Big(`${cent}e-2`) }));
        const { sum } = analyse(new PriceSeries('A', points), calendar);
        expect(sum.times(100).toFixed()).toBe(`${cents.reduce((total, cent) => total + cent, 0n)}`);
      }),
    );
  });

  test('computes the volatility of daily returns of +10 % and −10 % in turn', async () => {
    const { analysis } = await makeReport('A', {
      '2000-01-03': '100',
      '2000-01-04': `${100 * Math.exp(0.1)}`,
      '2000-01-05': '100',
      '2000-01-06': `${100 * Math.exp(0.1)}`,
      '2000-01-07': '100',
    });
    // Four returns of ±0.1 around a mean of 0: their variance is 0.04 / 3.
    expect(analysis.volatility).toBeCloseTo(Math.sqrt((0.04 / 3) * 252), 10);
  });

  test('at half the pace the same returns have less volatility, by the root of two', async () => {
    const calendar = { tradingDays: (from: Date, to: Date) => to.getTime() - from.getTime() };
    const series = (step: number) =>
      new PriceSeries(
        'A',
        [100, 110, 100, 110, 100].map((price, i) => ({ date: new Date(i * step), price: new Big(price) })),
      );
    const daily = analyse(series(1), calendar).volatility ?? 0;
    const everyOther = analyse(series(2), calendar).volatility ?? 0;
    expect(everyOther).toBeCloseTo(daily / Math.SQRT2, 12);
  });

  test('has no volatility with fewer than two returns', async () => {
    expect((await makeReport('A', { '2000-01-03': '1' })).analysis.volatility).toBeNull();
    expect((await makeReport('A', { '2000-01-03': '1', '2000-01-04': '2' })).analysis.volatility).toBeNull();
  });

  test('refuses an empty series', async () => {
    await expect(makeReport('A', {})).rejects.toThrow('A has no prices');
  });
});
