import { defineTasks, typed } from 'algernon-middy';
import { z } from 'zod';

/** A paid order, as the payment service reports it. */
export const payment = z.object({
  /** The id of the event, which is the same each time the service delivers it. */
  event: z.string(),
  order: z.string(),
  cents: z.int().positive(),
});

export interface Parcel {
  order: string;
  parcel: string;
}

export const tasks = defineTasks({
  ship: { kwargs: payment, result: typed<Parcel>() },
  thank: { kwargs: typed<Parcel>(), result: typed<void>() },
});
