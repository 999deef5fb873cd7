import { Console } from 'node:console';
import { escapeControls, escapeReversing } from '../../core/escapeControls.ts';
import { inspect, styleText } from './nodeUtil.ts';

/** Whether lines go to a terminal outside Lambda. */
export function isTerminal(): boolean {
  return process.stdout.isTTY === true && !process.env.AWS_LAMBDA_FUNCTION_NAME;
}

type Style = Parameters<typeof styleText>[0];
type Line = Record<string, unknown>;

const styles: Record<string, Style> = {
  TRACE: 'gray',
  DEBUG: 'gray',
  INFO: 'green',
  WARN: 'yellow',
  ERROR: 'red',
  CRITICAL: ['bold', 'red'],
};

/** The keys of every line that a terminal does not show separately. */
const omitted = new Set(
  [
    ['level', 'message', 'timestamp', 'service', 'cold_start', 'sampling_rate', 'xray_trace_id', 'tenant_id'],
    ['function_arn', 'function_memory_size', 'function_name', 'function_request_id', 'function_version'],
    ['task_name', 'message_id', 'receive_count', 'chain_id', 'chain', 'error'],
  ].flat(),
);

/** A console for a Powertools logger that writes its lines in a readable format. */
export function prettyConsole(): Console {
  const target = new Console({ stdout: process.stdout, stderr: process.stderr });
  const pretty = Object.create(target) as Console;
  const methods = ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const;
  const write = (method: (typeof methods)[number]) => (text: string) => {
    target[method === 'trace' ? 'log' : method](prettyLine(text, usesColours()));
  };
  return Object.assign(pretty, Object.fromEntries(methods.map((method) => [method, write(method)])));
}

/**
 * Formats a JSON line for a terminal: time, level, task, message, the other fields, and the error below. Control
 * characters are escaped, since a message may come from anyone and a terminal would execute them.
 *
 * @param colours whether the terminal supports colours
 */
export function prettyLine(json: string, colours: boolean): string {
  const line = parse(json);
  if (line?.['level'] === undefined) return escapeControls(json, { lines: true });
  const paint = (style: Style, text: string) =>
    colours ? styleText(style, text, { validateStream: false }) : text;
  const level = String(line['level']);
  const parts = [
    paint('gray', escapeControls(String(line['timestamp']).slice(11, 23))),
    paint(styles[level] ?? 'white', escapeControls(level.padEnd(5))),
    paint('cyan', escapeControls(taskOf(line))),
    escapeControls(String(line['message'] ?? ''), { lines: true }),
    ...Object.entries(line)
      .filter(([key]) => !omitted.has(key))
      .map(([key, value]) => `${paint('gray', `${escapeControls(key)}=`)}${show(value, colours)}`),
  ];
  return [
    parts.filter(Boolean).join(' '),
    ...errorLines(line['error'])
      .map((text) => escapeControls(text))
      .map((text) => (/^ +at /.test(text) ? paint('gray', text) : text)),
  ].join('\n');
}

/** The task's name, the end of its message id, and the receive count of a redelivered message. */
function taskOf(line: Line): string {
  const { message_id, task_name, receive_count } = line;
  if (message_id === undefined) return '';
  const again = Number(receive_count) > 1 ? `×${receive_count}` : '';
  return `[${task_name ?? 'message'} …${String(message_id).slice(-6)}${again}]`;
}

function show(value: unknown, colors: boolean): string {
  return typeof value === 'string' && !/[\s"]/.test(value)
    ? escapeControls(value)
    : escapeReversing(inspect(value, { colors, depth: 6, breakLength: Number.POSITIVE_INFINITY }));
}

function errorLines(error: unknown, prefix = ''): string[] {
  if (typeof error !== 'object' || error === null)
    return error === undefined ? [] : [`    ${prefix}${error}`];
  const { name, message, stack, cause } = error as Line;
  const text = typeof stack === 'string' ? stack : `${name}: ${message}`;
  const shown = text.split('\n').filter((line) => !/\(node:internal\//.test(line));
  const lines = shown.map((line, index) => `    ${index === 0 ? prefix : ''}${line}`);
  return [...lines, ...errorLines(cause, 'caused by ')];
}

function parse(json: string): Line | undefined {
  try {
    const line: unknown = JSON.parse(json);
    return typeof line === 'object' && line !== null ? (line as Line) : undefined;
  } catch {
    return undefined;
  }
}

function usesColours(): boolean {
  return process.stdout.isTTY === true && !process.env.NO_COLOR;
}
