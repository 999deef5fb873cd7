import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { priceTicks, timeTicks } from '../../../../examples/market/output/ticks.ts';

describe('priceTicks', () => {
  test.each<[number, number, number[]]>([
    [5.97, 707, [10, 20, 50, 100, 200, 500]],
    [0.02, 0.3, [0.02, 0.05, 0.1, 0.2]],
    [80, 91, [80, 82, 84, 86, 88, 90]],
    [7, 7, [7]],
  ])('from %d to %d', (low, high, ticks) => {
    expect(priceTicks([low, high])).toEqual(ticks);
  });

  test('are few, inside the range, and more than one on an axis', () => {
    const price = fc.double({ min: 1e-6, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(price, fc.double({ min: 1.0001, max: 1e9, noNaN: true }), (low, factor) => {
        const ticks = priceTicks([low, low * factor]);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(24);
        for (const tick of ticks) {
          expect(tick).toBeGreaterThanOrEqual(low * (1 - 1e-9));
          expect(tick).toBeLessThanOrEqual(low * factor * (1 + 1e-9));
        }
      }),
    );
  });
});

describe('timeTicks', () => {
  const labels = (from: string, to: string): string[] =>
    timeTicks([Date.parse(from), Date.parse(to)]).map(({ label }) => label);

  test.each<[string, string, string[]]>([
    [
      '2008-01-01',
      '2010-03-01',
      [
        'Jan 2008',
        'Apr 2008',
        'Jul 2008',
        'Oct 2008',
        'Jan 2009',
        'Apr 2009',
        'Jul 2009',
        'Oct 2009',
        'Jan 2010',
      ],
    ],
    [
      '2007-06-15',
      '2010-03-01',
      [
        'Jul 2007',
        'Oct 2007',
        'Jan 2008',
        'Apr 2008',
        'Jul 2008',
        'Oct 2008',
        'Jan 2009',
        'Apr 2009',
        'Jul 2009',
        'Oct 2009',
        'Jan 2010',
      ],
    ],
    [
      '1998-07-01',
      '2010-03-01',
      ['1999', '2000', '2001', '2002', '2003', '2004', '2005', '2006', '2007', '2008', '2009', '2010'],
    ],
    [
      '1962-07-01',
      '2010-03-01',
      ['1965', '1970', '1975', '1980', '1985', '1990', '1995', '2000', '2005', '2010'],
    ],
    ['2024-02-01', '2024-02-28', ['2024-02-01', '2024-02-28']],
    ['2024-02-01', '2024-02-01', ['2024-02-01']],
  ])('from %s to %s', (from, to, expected) => {
    expect(labels(from, to)).toEqual(expected);
  });

  test('of any two days are few and inside the range', () => {
    const time = fc.integer({ min: Date.parse('1500-01-01'), max: Date.parse('2500-01-01') });
    fc.assert(
      fc.property(time, time, (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const ticks = timeTicks([from, to]);
        expect(ticks.length).toBeLessThanOrEqual(13);
        for (const tick of ticks) expect(tick.time >= from && tick.time <= to).toBe(true);
      }),
    );
  });
});
