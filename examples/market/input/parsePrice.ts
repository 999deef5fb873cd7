import Big from 'big.js';

/** The character before the decimals. */
export type DecimalMark = '.' | ',';

const currency = /^\p{Sc}\s*|\s*\p{Sc}$/gu;
const groups = String.raw`[1-9]\d{0,2}(?:(?<group>[GROUP'’ \u00a0\u202f])\d{3})(?:\k<group>\d{3})*`;
const patterns: Record<DecimalMark, RegExp> = {
  '.': patternOf('.', ','),
  ',': patternOf(',', '.'),
};

function patternOf(mark: DecimalMark, group: DecimalMark): RegExp {
  const whole = `(?:${groups.replace('GROUP', group)}|\\d+)`;
  return new RegExp(String.raw`^(?=.{1,40}$)(?:${whole}(?:[${mark}]\d*)?|[${mark}]\d+)$`);
}

/**
 * Reads a price such as `39.81`, `1,234.50`, `$7` or, with a decimal comma, `1.234,50 €`, keeping every digit.
 *
 * @returns the price, or undefined if the text is not a plain number above zero of at most 40 characters.
 */
export function parsePrice(text: string, mark: DecimalMark = '.'): Big | undefined {
  const digits = text.replace(currency, '');
  if (!patterns[mark].test(digits)) return undefined;
  const price = new Big(digits.replace(mark === '.' ? /[^\d.]/g : /[^\d,]/g, '').replace(',', '.'));
  return price.gt(0) ? price : undefined;
}

/**
 * Finds the decimal mark of a column, from all its prices: `1,5` or `1.234,50` settles it for all.
 *
 * @returns the mark, or undefined if both fit and mean different prices, such as 1,234.
 */
export function findDecimalMark(prices: readonly string[]): DecimalMark | undefined {
  const readable = (mark: DecimalMark) => prices.filter((text) => parsePrice(text, mark)).length;
  const [points, commas] = [readable('.'), readable(',')];
  if (points !== commas) return points > commas ? '.' : ',';
  return prices.some(isAmbiguousPrice) ? undefined : '.';
}

/** Whether a price has two readings, such as 1,234. */
export function isAmbiguousPrice(text: string): boolean {
  const [point, comma] = [parsePrice(text, '.'), parsePrice(text, ',')];
  return point !== undefined && comma !== undefined && !point.eq(comma);
}
