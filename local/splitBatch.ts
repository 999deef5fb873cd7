import type { SqsRecord } from '../core/batch/events.ts';

/** Lambda's limit for the event of an invocation: 6 MiB. */
export const maxEventBytes: number = 6 * 1024 * 1024;

/** Splits a batch, in order, into parts whose events are within Lambda's limit. */
export function splitBatch(records: readonly SqsRecord[], mostBytes: number = maxEventBytes): SqsRecord[][] {
  const envelope = Buffer.byteLength('{"Records":[]}');
  const batches: SqsRecord[][] = [];
  let batch: SqsRecord[] = [];
  let size = envelope;
  for (const record of records) {
    const bytes = Buffer.byteLength(JSON.stringify(record)) + 1;
    if (batch.length > 0 && size + bytes > mostBytes) {
      batches.push(batch);
      batch = [];
      size = envelope;
    }
    batch.push(record);
    size += bytes;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
