import { InvocationError } from '../core/errors.ts';

/** Which messages of a batch stay in the queue, and why all of them do. */
export interface BatchVerdict {
  failedIds: string[];
  error?: InvocationError;
}

/**
 * Reads a function's response as the event source mapping does with `ReportBatchItemFailures` on. All messages
 * are done for a null or empty response and a null or empty list of failures. None is for anything that is not
 * understood, an identifier that is no message of the batch included: what cannot be read must not lose a message.
 */
export function readBatchResponse(response: string, messageIds: readonly string[]): BatchVerdict {
  const failures = findFailures(response);
  if (failures === undefined) return { failedIds: [] };
  if (!Array.isArray(failures)) return refuse('batchItemFailures is not a list', messageIds);
  const known = new Set(messageIds);
  const failed = new Set<string>();
  for (const failure of failures) {
    const id = readIdentifier(failure);
    if (id === undefined) return refuse(`no itemIdentifier in ${JSON.stringify(failure)}`, messageIds);
    if (!known.has(id)) return refuse(`no message of the batch has the id ${JSON.stringify(id)}`, messageIds);
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
  const error = new InvocationError(`The batch response is malformed, so the whole batch failed: ${reason}`);
  return { failedIds: [...messageIds], error };
}
