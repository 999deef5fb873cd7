import { expect, test } from '@jest/globals';
import { drawTable } from '../../../../examples/market/output/drawTable.ts';
import { makeReport } from '../makeReport.ts';

test('aligns columns to their content', async () => {
  const reports = await Promise.all([
    makeReport('A', { '2000-01-03': '1', '2000-01-04': '0.50' }),
    makeReport('LONG', { '2000-01-03': '1000.125', '2000-01-04': '2000', '2000-01-05': '4000' }),
  ]);
  expect(drawTable(reports)).toEqual([
    'symbol      first                  last                change   highest              volatility',
    'A            1.00  2000-01-03      0.50  2000-01-04   −50.0 %      1.00  2000-01-03           –',
    'LONG    1,000.125  2000-01-03  4,000.00  2000-01-05  +300.0 %  4,000.00  2000-01-05       0.1 %',
  ]);
});
