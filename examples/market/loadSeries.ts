import { parseDate } from './input/parseDate.ts';
import { parsePrice } from './input/parsePrice.ts';
import type { Quote } from './input/readPrices.ts';
import { type PricePoint, PriceSeries } from './PriceSeries.ts';

/** A company and its prices, as text. */
export interface Company {
  symbol: string;
  quotes: Quote[];
}

/**
 * Parses the dates and prices of a company.
 *
 * @throws Error at the first invalid quote.
 */
export function loadSeries({ symbol, quotes }: Company): PriceSeries {
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
