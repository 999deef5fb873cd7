import type { Report } from '../openStore.ts';
import type { PricePoint } from '../PriceSeries.ts';
import { format } from './format.ts';

const header = ['symbol', 'first', '', 'last', '', 'change', 'highest', '', 'volatility'];
const isText = (column: number): boolean => column === 0;

/** Draws the reports as a table for a terminal: lines of text, the header first. */
export function drawTable(reports: Report[]): string[] {
  const rows = [header, ...reports.map(cellsOf)];
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

function cellsOf({ series, analysis }: Report): string[] {
  const { first, last, highest, change, volatility } = analysis;
  const pair = ({ date, price }: PricePoint): string[] => [format.price(price), format.day(date)];
  return [
    series.symbol,
    ...pair(first),
    ...pair(last),
    format.percent(change, { sign: true }),
    ...pair(highest),
    format.percent(volatility),
  ];
}
