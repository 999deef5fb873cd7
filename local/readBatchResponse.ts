import type { AlgernonError } from '../core/errors.ts';
import { invocationError } from './invoke.ts';

/** The messages of a batch that stay in the queue; with an error, all of them. */
export interface BatchVerdict {
  failedIds: string[];
  error?: AlgernonError;
}

/**
 * Reads a function's response like an event source mapping with `ReportBatchItemFailures`. A null or empty response, or
 * a null or empty list of failures, means that all messages are done. A malformed response, or an id that is not in the
 * batch, means that all messages failed, so that none is lost.
 */
export function readBatchResponse(response: string, messageIds: readonly string[]): BatchVerdict {
  const failures = findFailures(response);
  if (failures === undefined) return { failedIds: [] };
  if (!Array.isArray(failures)) return refuse('batchItemFailures is not a list', messageIds);
  const ids = new Set(messageIds);
  const failed = new Set<string>();
  for (const failure of failures) {
    const id = readIdentifier(failure);
    if (id === undefined) return refuse(`no itemIdentifier in ${JSON.stringify(failure)}`, messageIds);
    if (!ids.has(id)) return refuse(`no message of the batch has the id ${JSON.stringify(id)}`, messageIds);
    failed.add(id);
  }
  return { failedIds: messageIds.filter((id) => failed.has(id)) };
}

// Undefined when nothing failed.
function findFailures(response: string): unknown {
  const value: unknown = JSON.parse(response);
  if (value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) return value;
  return 'batchItemFailures' in value ? (value.batchItemFailures ?? undefined) : undefined;
}

function readIdentifier(failure: unknown): string | undefined {
  if (typeof failure !== 'object' || failure === null || !('itemIdentifier' in failure)) return undefined;
  const { itemIdentifier } = failure;
  return typeof itemIdentifier === 'string' && itemIdentifier !== '' ? itemIdentifier : undefined;
}

function refuse(reason: string, messageIds: readonly string[]): BatchVerdict {
  const error = invocationError(`The batch response is malformed, so the whole batch failed: ${reason}`);
  return { failedIds: [...messageIds], error };
}
