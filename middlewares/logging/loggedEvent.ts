import { raw } from '../../core/ajson/raw.ts';
import { eventKind, isSnsRecord, type SqsEvent, type TaskRecord } from '../../core/batch/events.ts';
import { isEnvelope } from '../../core/batch/unwrapTask.ts';
import { hideSecrets } from './hideSecrets.ts';
import { type RedactPath, redact } from './redact.ts';

/**
 * An event as it may be logged: with the JSON in its bodies parsed, so that there is no JSON inside JSON and every path
 * leads somewhere, and with nothing where the paths lead, neither from the event on nor from each task on.
 */
export function loggedEvent(event: unknown, paths: readonly RedactPath[]): unknown {
  const opened = eventKind(event) === 'direct' ? event : openRecords(event as SqsEvent, paths);
  return hideSecrets(redact(opened, paths));
}

function openRecords(event: SqsEvent, paths: readonly RedactPath[]) {
  return { ...event, Records: event.Records.map((record: TaskRecord) => openRecord(record, paths)) };
}

function openRecord(record: TaskRecord, paths: readonly RedactPath[]): unknown {
  if (isSnsRecord(record)) {
    return { ...record, Sns: { ...record.Sns, Message: openMessage(record.Sns.Message, paths) } };
  }
  const body = parse(record.body);
  if (!isEnvelope(body)) return { ...record, body: openMessage(body, paths) };
  return { ...record, body: { ...body, Message: openMessage(body.Message, paths) } };
}

/** No path leads into what is not JSON: with anything to be left out, all of it is. */
function openMessage(message: unknown, paths: readonly RedactPath[]): unknown {
  const content = parse(message);
  if (typeof content !== 'string' || paths.length === 0) return redact(content, paths);
  return `[${content.length} characters that are no JSON object]`;
}

function parse(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  try {
    return raw(text);
  } catch {
    return text;
  }
}
