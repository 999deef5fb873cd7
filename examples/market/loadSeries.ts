import { type PricePoint, PriceSeries } from './PriceSeries.ts';
import { parseDate } from './parseDate.ts';
import { parsePrice } from './parsePrice.ts';
import type { Quote } from './readPrices.ts';

/**
 * Parses the dates and prices of a company's quotes.
 *
 * @throws Error at the first invalid quote.
 */
export function loadSeries(symbol: string, quotes: Quote[]): PriceSeries {
  return new PriceSeries(
    symbol,
    quotes.map((quote): PricePoint => {
      const date = parseDate(quote.date);
      const price = parsePrice(quote.price);
      if (date && price) return { date, price };
      throw new Error(`${symbol} cost ${quote.price} on ${quote.date}: that is not a price on a day`);
    }),
  );
}
