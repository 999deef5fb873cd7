import { raw } from '../../core/ajson/raw.ts';
import {
  eventKind,
  isSnsRecord,
  recordsOf,
  type SqsEvent,
  type TaskRecord,
} from '../../core/batch/events.ts';
import { isEnvelope } from '../../core/batch/unwrapTask.ts';
import { type RedactPath, redact } from './redact.ts';

/** How many levels of JSON inside JSON are parsed. */
const maxNesting = 6;

/**
 * Prepares an event for a log line: parses the JSON in its strings, so that secrets and paths are found in it, and redacts
 * the values at the paths. A path starts at the event or at a task; the Input of a state machine belongs to the task, with
 * or without its name. Secrets are redacted when the line is written.
 */
export function loggedEvent(event: unknown, paths: readonly RedactPath[]): unknown {
  const kind = eventKind(event);
  if (kind === 'direct' || kind === 'other') return redact(redactTask(openJson(event), paths), paths);
  const records = recordsOf(event) as readonly TaskRecord[];
  const opened = records.map((record) => openRecord(record, paths));
  return redact(Array.isArray(event) ? opened : { ...(event as SqsEvent), Records: opened }, paths);
}

function openRecord(record: TaskRecord, paths: readonly RedactPath[]): unknown {
  if (isSnsRecord(record)) {
    return { ...record, Sns: { ...record.Sns, Message: openMessage(record.Sns.Message, paths) } };
  }
  const body = parse(record.body);
  if (!isEnvelope(body)) return { ...record, body: openMessage(body, paths) };
  return { ...record, body: { ...body, Message: openMessage(body.Message, paths) } };
}

/** Paths cannot be followed in a message that is not JSON, so if there are paths, it is redacted as a whole. */
function openMessage(message: unknown, paths: readonly RedactPath[]): unknown {
  const content = openJson(message);
  if (typeof content === 'string' && paths.length > 0) {
    return `[redacted: ${content.length} characters that are not JSON]`;
  }
  return redactTask(content, paths);
}

/** `Input` and `payload` of a state machine contain the arguments of the task. */
function redactTask(task: unknown, paths: readonly RedactPath[]): unknown {
  const found = redact(task, paths);
  if (typeof found !== 'object' || found === null) return found;
  const opened = { ...found } as Record<string, unknown>;
  for (const key of ['Input', 'payload']) {
    if (Object.hasOwn(opened, key)) opened[key] = redact(opened[key], argumentPaths(paths));
  }
  return opened;
}

function argumentPaths(paths: readonly RedactPath[]): RedactPath[] {
  return paths.flatMap((path) => (path[0] === 'task_kwargs' ? [path, path.slice(1)] : [path]));
}

/** Parses the JSON in every string of a value. */
function openJson(value: unknown, nesting = maxNesting): unknown {
  if (nesting === 0) return value;
  if (typeof value === 'string') {
    const parsed = parse(value);
    return parsed === value ? value : openJson(parsed, nesting - 1);
  }
  if (Array.isArray(value)) return value.map((item) => openJson(item, nesting));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, openJson(item, nesting)]));
}

function parse(text: unknown): unknown {
  if (typeof text !== 'string' || !/^\s*[{[]/.test(text)) return text;
  try {
    return raw(text);
  } catch {
    return text;
  }
}
