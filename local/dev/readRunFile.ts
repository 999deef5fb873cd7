import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { readChainEvent } from '../../core/chains/readChainEvent.ts';
import { AlgernonError } from '../../core/errors.ts';
import { type FileEntry, maxTextLength } from './protocol.ts';

/** The number of lines of a file that were read, and of those that were skipped. */
export interface ReadLines {
  read: number;
  skipped: number;
}

/** The longest line that is read, in characters: a text may be escaped. */
const maxLine = 8 * maxTextLength;

/**
 * Reads the entries of a run from its file. A line that is not an entry, such as a last one that was cut off, is skipped.
 *
 * @throws AlgernonError `NOT_A_RUN` when no line is an entry
 */
export async function readRunFile(path: string, onEntry: (entry: FileEntry) => void): Promise<ReadLines> {
  const count: ReadLines = { read: 0, skipped: 0 };
  const input = createReadStream(path, 'utf8');
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    if (line === '') continue;
    const entry = line.length > maxLine ? undefined : readEntry(line);
    if (entry) {
      count.read += 1;
      onEntry(entry);
    } else count.skipped += 1;
  }
  if (count.read > 0) return count;
  throw new AlgernonError('NOT_A_RUN', `${path} is not the file of a run: it has no entry.`);
}

function readEntry(line: string): FileEntry | undefined {
  let entry: Fields;
  try {
    entry = Object(JSON.parse(line)) as Fields;
  } catch {
    return undefined;
  }
  switch (entry.kind) {
    case 'run': {
      const { version, startedAt, worker } = entry;
      if (version !== 1 || typeof startedAt !== 'number') return undefined;
      // Nothing listens at its endpoint any more.
      return { kind: 'run', version, startedAt, ...(typeof worker === 'string' && { worker }) };
    }
    case 'event': {
      const event = readChainEvent(entry.event);
      return event && { kind: 'event', event };
    }
    case 'tasks': {
      const { tasks } = entry;
      const areTasks =
        Array.isArray(tasks) && tasks.every((task) => hasTexts(task, 'name', 'topicArn', 'queueUrl'));
      return areTasks ? (entry as unknown as FileEntry) : undefined;
    }
    case 'message': {
      const isMessage = hasTexts(entry, 'chainId', 'messageId', 'text') && isTexts(entry.attributes);
      return isMessage ? (entry as unknown as FileEntry) : undefined;
    }
    case 'log': {
      const isLog = hasTexts(entry, 'chainId', 'messageId', 'level', 'message');
      return isLog && typeof entry.at === 'number' && Object(entry.fields) === entry.fields
        ? (entry as unknown as FileEntry)
        : undefined;
    }
    case 'object':
      return hasTexts(entry, 'pointer', 'text') ? (entry as unknown as FileEntry) : undefined;
    case 'reload': {
      const { at, error } = entry;
      if (typeof at !== 'number') return undefined;
      return { kind: 'reload', at, ...(typeof error === 'string' && { error }) };
    }
    default:
      return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function hasTexts(value: unknown, ...names: readonly string[]): boolean {
  return names.every((name) => typeof (Object(value) as Fields)[name] === 'string');
}

function isTexts(value: unknown): boolean {
  return Object(value) === value && Object.values(value as Fields).every((text) => typeof text === 'string');
}
