import type { Portfolio } from '../createPortfolio.ts';
import type { Report } from '../openStore.ts';
import type { PricePoint } from '../PriceSeries.ts';
import { colourOf, drawPlot } from './drawPlot.ts';
import { escapeHtml } from './escapeHtml.ts';
import { format } from './format.ts';

/** Draws the reports as a self-contained HTML page, without scripts, fonts or network requests. */
export function drawReport(reports: Report[], portfolio?: Portfolio): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Market report</title>
<style>${style}</style>
<main>
<h1>Market report</h1>
<p>${escapeHtml(describe(reports))}</p>
${reports.length > 0 ? drawFigure(reports) : ''}
${portfolio ? drawPortfolio(portfolio) : ''}
</main>
</html>
`;
}

function describe(reports: Report[]): string {
  const years = reports.flatMap(({ analysis }) => [...analysis.years]);
  const prices = reports.reduce((sum, { analysis }) => sum + analysis.count, 0);
  const span = [...new Set([Math.min(...years), Math.max(...years)])].join(' to ');
  if (reports.length === 0) return 'There is nothing to report.';
  return `${format.count(prices, 'price')} of ${format.count(reports.length, 'company', 'companies')}, ${span}.`;
}

function drawFigure(reports: Report[]): string {
  const heads = ['Symbol', 'First', 'Last', 'Change', 'Highest', 'Volatility', 'Sum of prices'];
  return `<figure>
${drawPlot(reports)}
<figcaption>Prices on a logarithmic scale: the same rise in per cent is the same height. A dot marks the highest price of each company.</figcaption>
</figure>
<div class="wide"><table>
<thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead>
<tbody>
${reports.map(drawRow).join('\n')}
</tbody>
</table></div>
<p class="note">Volatility is the standard deviation of the logarithmic returns over a year of 252 trading days. Sums are exact to the last digit.</p>`;
}

function drawPortfolio({ companies, change, best = '', worst = '', problems }: Portfolio): string {
  const mean = `${format.percent(change, { sign: true })} on average, best ${best}, worst ${worst}`;
  const text = companies.length > 0 ? mean : 'no company is done';
  const errors = problems.map((problem) => `<li>${escapeHtml(problem)}</li>`).join('');
  return `<h2>Portfolio</h2>
<p>${escapeHtml(`${format.count(companies.length, 'company', 'companies')}: ${text}.`)}</p>
${errors ? `<ul>${errors}</ul>` : ''}`;
}

function drawRow({ series, analysis }: Report, index: number): string {
  const { first, last, highest, change, volatility, sum } = analysis;
  const cells = [
    drawPoint(first),
    drawPoint(last),
    format.percent(change, { sign: true }),
    drawPoint(highest),
    format.percent(volatility),
    format.price(sum),
  ];
  const swatch = `<i style="color:${colourOf(index)}"></i>`;
  const name = `<th scope="row">${swatch}${escapeHtml(series.symbol)}</th>`;
  return `<tr>${name}${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function drawPoint({ date, price }: PricePoint): string {
  return `${format.price(price)}<small>${format.day(date)}</small>`;
}

const style = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --soft: #5d6670; --rule: #dfe3e8;
  --line-0: #0067b0; --line-1: #c2500a; --line-2: #00805a; --line-3: #a8418a;
  --line-4: #8a6a00; --line-5: #5b52c4; --line-6: #007c8a; --line-7: #8f3b2e; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171a; --ink: #e8ebee; --soft: #9aa4ae; --rule: #2d333a;
    --line-0: #5cb3f0; --line-1: #f59a57; --line-2: #3fc99a; --line-3: #e58fca;
    --line-4: #e0c14d; --line-5: #a9a2ff; --line-6: #4ecbd9; --line-7: #e58a7b; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 32px 20px; }
h1 { font-size: 24px; margin: 0; }
h2 { font-size: 17px; margin: 24px 0 0; }
p { margin: 4px 0 20px; color: var(--soft); }
figure { margin: 0 0 24px; }
figcaption, .note { color: var(--soft); font-size: 13px; }
svg { display: block; width: 100%; height: auto; font-size: 12px; }
svg text { fill: var(--soft); }
svg .name { fill: currentColor; font-weight: 600; }
svg .grid { stroke: var(--rule); }
svg .line { fill: none; stroke: currentColor; stroke-width: 1.75; stroke-linejoin: round; }
svg circle { fill: currentColor; stroke: var(--paper); stroke-width: 1.5; }
.wide { overflow-x: auto; margin-bottom: 12px; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 8px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
thead th { color: var(--soft); font-weight: 500; }
th:first-child { text-align: left; }
td small { display: block; color: var(--soft); }
i { display: inline-block; width: 10px; height: 10px; margin-right: 8px; border-radius: 2px; background: currentColor; }
`;
