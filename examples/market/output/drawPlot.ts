import type { Report } from '../openStore.ts';
import type { PricePoint } from '../PriceSeries.ts';
import { escapeHtml } from './escapeHtml.ts';
import { format } from './format.ts';
import { priceTicks, timeTicks } from './ticks.ts';

const plotWidth = 960;
const plotHeight = 480;
const box = { left: 52, right: plotWidth - 72, top: 12, bottom: plotHeight - 30 };
const labelHeight = 15;
const maxLabels = Math.floor((box.bottom - box.top) / labelHeight);

type Scale = (value: number) => number;

/**
 * Draws prices over time as an SVG, with a line for each company. The price axis is logarithmic, so that the
 * same rise in per cent has the same height at every price. Colours are CSS variables,
 * `--line-0` to `--line-7`.
 */
export function drawPlot(reports: Report[]): string {
  const points = reports.flatMap(({ series }) => series.points);
  const times = extent(points.map(({ date }) => date.getTime()));
  const prices = extent(points.map(({ price }) => Number(price)));
  const x = scale(times, [box.left, box.right]);
  const yOfLog = scale(prices.map(Math.log), [box.bottom, box.top]);
  const y: Scale = (price) => yOfLog(Math.log(price));
  return [
    `<svg viewBox="0 0 ${plotWidth} ${plotHeight}" role="img" aria-label="Prices over time, on a logarithmic scale">`,
    ...priceTicks(prices).map((price) => drawPriceTick(price, y(price))),
    ...timeTicks(times).map(({ time, label }) => drawTimeTick(label, x(time))),
    ...reports.map((report, index) => drawLine(report, index, x, y)),
    ...drawLabels(reports, y),
    '</svg>',
  ].join('\n');
}

/** The number of a company's colour, in the plot and beside its name. */
export function colourOf(index: number): string {
  return `var(--line-${index % 8})`;
}

function drawPriceTick(price: number, y: number): string {
  return `<path class="grid" d="M${box.left} ${y}H${box.right}"/><text x="${box.left - 8}" y="${y + 4}" text-anchor="end">${price.toLocaleString('en-US')}</text>`;
}

function drawTimeTick(label: string, x: number): string {
  return `<path class="grid" d="M${x} ${box.bottom}v5"/><text x="${x}" y="${box.bottom + 20}" text-anchor="middle">${label}</text>`;
}

function drawLine({ series, analysis }: Report, index: number, x: Scale, y: Scale): string {
  const at = ({ date, price }: PricePoint): string => `${x(date.getTime())} ${y(Number(price))}`;
  const { first, last, highest } = analysis;
  const top = `${format.price(highest.price)} on ${format.day(highest.date)}`;
  const [cx, cy] = at(highest).split(' ');
  return [
    `<g style="color:${colourOf(index)}">`,
    `<path class="line" d="M${series.points.map(at).join('L')}">`,
    `<title>${escapeHtml(series.symbol)}: ${format.price(first.price)} to ${format.price(last.price)}</title></path>`,
    `<circle cx="${cx}" cy="${cy}" r="3.5"><title>${escapeHtml(series.symbol)} at its highest: ${top}</title></circle>`,
    '</g>',
  ].join('');
}

/** The names at the ends of the lines, moved apart where they would overlap. */
function drawLabels(reports: Report[], y: Scale): string[] {
  if (reports.length > maxLabels) return [];
  const labels = reports
    .map(({ series, analysis }, index) => ({ index, name: series.symbol, y: y(Number(analysis.last.price)) }))
    .sort((a, b) => a.y - b.y);
  labels.forEach((label, i) => {
    label.y = Math.max(label.y, (labels[i - 1]?.y ?? Number.NEGATIVE_INFINITY) + labelHeight);
  });
  labels.reverse().forEach((label, i) => {
    label.y = Math.min(label.y, (labels[i - 1]?.y ?? box.bottom + labelHeight) - labelHeight);
  });
  return labels.map(({ index, name, y }) => {
    const text = name.length > 8 ? `${name.slice(0, 7)}…` : name;
    return `<text class="name" style="color:${colourOf(index)}" x="${box.right + 8}" y="${y + 4}">${escapeHtml(text)}</text>`;
  });
}

function extent(values: number[]): [number, number] {
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}

/** Maps one range onto another, to a tenth of a pixel. A range of one value maps to the middle. */
function scale([from, to]: number[], [start, end]: [number, number]): Scale {
  const [low = 0, high = 0] = [from, to];
  if (low === high) return () => (start + end) / 2;
  return (value) => Math.round((start + ((value - low) / (high - low)) * (end - start)) * 10) / 10;
}
