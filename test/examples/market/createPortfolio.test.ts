import { expect, test } from '@jest/globals';
import Big from 'big.js';
import { type AnalysedCompany, createPortfolio } from '../../../examples/market/createPortfolio.ts';
import { makeReport } from './makeReport.ts';

async function company(symbol: string, first: string, last: string): Promise<AnalysedCompany> {
  const { analysis } = await makeReport(symbol, { '2000-01-03': first, '2000-01-04': last });
  return { symbol, analysis };
}

test('joins companies, with and without their errors', async () => {
  const [a, b] = [await company('A', '0.1', '0.2'), await company('B', '1', '0.5')];
  const portfolio = {
    companies: ['A', 'B'],
    count: 4,
    sum: new Big('1.8'),
    change: 0.25,
    best: 'A',
    worst: 'B',
    problems: [],
  };
  expect(createPortfolio([a, b])).toEqual(portfolio);
  expect(createPortfolio([{ value: a }, { error: { message: 'C is broken' } }, { value: b }])).toEqual({
    ...portfolio,
    problems: ['C is broken'],
  });
});

test('has no mean without companies', () => {
  expect(createPortfolio([{ error: { message: 'A is broken' } }])).toMatchObject({
    companies: [],
    change: null,
    best: undefined,
    problems: ['A is broken'],
  });
});
