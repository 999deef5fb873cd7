import Big from 'big.js';

const pricePattern = /^(?=.{1,40}$)(?:\d+\.?\d*|\.\d+)$/;

/**
 * Reads a price such as `39.81`, keeping every digit.
 *
 * @returns the price, or undefined if the text is not a plain decimal above zero of at most 40 characters.
 */
export function parsePrice(text: string): Big | undefined {
  if (!pricePattern.test(text)) return undefined;
  const price = new Big(text);
  return price.gt(0) ? price : undefined;
}
