import type { LoggingTask } from './observeHandler.ts';
import type { LogEntry } from './protocol.ts';

/** The longest line that is kept, in characters. */
const maxLine = 64 * 1024;

let lastLine = '';

/** Whether a text is the last line that was read: the console gets it too. */
export function isLastLine(text: string): boolean {
  return text === lastLine;
}

/** A line of lambdaLogged. One that belongs to no task is left out. */
export function readLine(text: string, task: LoggingTask | undefined): LogEntry | undefined {
  lastLine = text;
  if (text.length > maxLine) return lineOf(task, 'INFO', `${text.slice(0, maxLine)}…`);
  let line: Record<string, unknown>;
  try {
    line = Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return lineOf(task, 'INFO', text);
  }
  const { timestamp, level, message, chain_id, message_id, ...fields } = line;
  const ids = task ?? { chainId: chain_id, messageId: message_id };
  if (typeof ids.chainId !== 'string' || typeof ids.messageId !== 'string') return undefined;
  return {
    kind: 'log',
    chainId: ids.chainId,
    messageId: ids.messageId,
    at: Date.parse(String(timestamp)) || Date.now(),
    level: typeof level === 'string' ? level : 'INFO',
    message: typeof message === 'string' ? message : (JSON.stringify(message) ?? ''),
    fields,
  };
}

/** A line of a task, as it was printed. */
export function lineOf(task: LoggingTask | undefined, level: string, message: string): LogEntry | undefined {
  if (!task) return undefined;
  const { chainId, messageId } = task;
  return { kind: 'log', chainId, messageId, at: Date.now(), level, message, fields: {} };
}
