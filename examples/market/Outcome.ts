import type { ByteCount } from './countBytes.ts';
import type { Report } from './Report.ts';

/** A message that failed three times and went to the dead-letter queue. */
export interface DeadLetter {
  task: string;
  chain: string | undefined;
  problem: string | undefined;
}

/** The outcome of all chains. */
export interface Outcome {
  /** The chains that were sent. */
  sent: string[];
  /** The chains whose last task is done. */
  arrived: ReadonlySet<string>;
  deadLetters: DeadLetter[];
  /** How many tasks of each name are done. */
  done: Record<string, number>;
  /** The time from the first send to the last acknowledgement. */
  seconds: number;
  batches: number;
  /** How many times a message was redelivered. */
  retries: number;
  bytes: ByteCount;
  /** How many times the market calendar was opened. */
  calendars: number;
  /** The reports in S3, one for each symbol. */
  reports: Report[];
}
