import { describe, expect, test } from '@jest/globals';
import Big from 'big.js';
import { drawReport } from '../../../../examples/market/output/drawReport.ts';
import { makeReport } from '../makeReport.ts';

describe('drawReport', () => {
  test('has a line, a dot, a name and a row for each company', async () => {
    const page = drawReport([
      await makeReport('AAA', { '2000-01-03': '1', '2000-02-01': '2', '2000-03-01': '3' }),
      await makeReport('BBB', { '2000-01-03': '30', '2000-03-01': '20' }),
    ]);
    expect(page.match(/class="line"/g)).toHaveLength(2);
    expect(page.match(/<circle/g)).toHaveLength(2);
    expect(page.match(/class="name"/g)).toHaveLength(2);
    expect(page.match(/<th scope="row">/g)).toHaveLength(2);
    expect(page).toContain('5 prices of 2 companies, 2000.');
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('draws the same rise with the same height at every price', async () => {
    const page = drawReport([
      await makeReport('A', { '2000-01-03': '1', '2000-02-01': '2' }),
      await makeReport('B', { '2000-01-03': '50', '2000-02-01': '100' }),
    ]);
    const rises = [...page.matchAll(/class="line" d="M\S+ (\S+)L\S+ (\S+)"/g)].map(
      ([, from, to]) => Number(from) - Number(to),
    );
    expect(rises).toHaveLength(2);
    expect(rises[0]).toBeGreaterThan(0);
    expect(rises[0]).toBeCloseTo(rises[1] ?? 0, 0);
  });

  test('is self-contained', async () => {
    const page = drawReport([await makeReport('A', { '2000-01-03': '1' })]);
    expect(page).not.toMatch(/https?:|src=|href=|@import|url\(|<script/);
  });

  test('escapes symbols', async () => {
    const page = drawReport([await makeReport('<img src=x onerror="1">&', { '2000-01-03': '1' })]);
    expect(page).not.toContain('<img');
    expect(page).toContain('&lt;img src=x onerror=&quot;1&quot;&gt;&amp;');
  });

  test('has the portfolio, and the errors in it as text', async () => {
    const portfolio = {
      companies: ['A', 'B'],
      count: 2,
      sum: new Big(3),
      change: 0.125,
      best: 'A',
      worst: '<B>',
    };
    const page = drawReport([], { ...portfolio, problems: ['<img src=x>'] });
    expect(page).toContain('2 companies: +12.5 % on average, best A, worst &lt;B&gt;.');
    expect(page).toContain('<li>&lt;img src=x&gt;</li>');
    const empty = { ...portfolio, companies: [], change: null, problems: [] };
    expect(drawReport([], empty)).toContain('<p>0 companies: no company is done.</p>\n\n</main>');
  });

  test('draws one price, and none', async () => {
    expect(drawReport([await makeReport('A', { '2000-01-03': '7' })])).not.toMatch(/NaN|Infinity/);
    expect(drawReport([])).toContain('There is nothing to report.');
  });

  test('names at the ends of the lines do not overlap', async () => {
    const reports = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        makeReport(`S${i}`, { '2000-01-03': `${i + 1}`, '2000-02-01': '5' }),
      ),
    );
    const heights = [...drawReport(reports).matchAll(/class="name"[^>]* y="([^"]+)"/g)]
      .map(([, y]) => Number(y))
      .sort((a, b) => a - b);
    expect(heights).toHaveLength(20);
    heights.slice(1).forEach((y, i) => {
      expect(y - (heights[i] ?? y)).toBeGreaterThanOrEqual(15 - 1e-9);
    });
    expect(heights[0]).toBeGreaterThan(0);
    expect(heights.at(-1)).toBeLessThan(480);
  });
});
