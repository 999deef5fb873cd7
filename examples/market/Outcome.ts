import type { ByteCount } from './countBytes.ts';
import type { Report } from './Report.ts';

/** A message that was given up, after it had been tried three times. */
export interface DeadLetter {
  task: string;
  chain: string | undefined;
  problem: string | undefined;
}

/** What came of all chains. */
export interface Outcome {
  /** The chains that SNS has taken. */
  sent: string[];
  /** The chains whose last task is done. */
  arrived: ReadonlySet<string>;
  deadLetters: DeadLetter[];
  /** How many tasks of each name are done. */
  done: Record<string, number>;
  /** From the first message sent to the last acknowledged. */
  seconds: number;
  batches: number;
  /** How many times a message came again. */
  retries: number;
  bytes: ByteCount;
  /** How many times the market calendar was opened. */
  calendars: number;
  /** What there is in S3, one a symbol. */
  reports: Report[];
}
