import { Console } from 'node:console';
import { inspect, styleText } from 'node:util';

/** Whether the readable format is the better one: in a terminal of your own. */
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

/** What each line has, and nobody at a terminal wants to read on each. */
const left = new Set(
  [
    ['level', 'message', 'timestamp', 'service', 'cold_start', 'sampling_rate', 'xray_trace_id', 'tenant_id'],
    ['function_arn', 'function_memory_size', 'function_name', 'function_request_id', 'function_version'],
    ['task_name', 'message_id', 'receive_count', 'chain_id', 'chain', 'error'],
  ].flat(),
);

/** A console for a Powertools logger, which writes its lines so that people can read them. */
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
 * One line of JSON, for people: time, level, task, message, then whatever else was logged, and below it the error.
 *
 * @param colours whether the terminal takes colours
 */
export function prettyLine(json: string, colours: boolean): string {
  const line = parse(json);
  if (line?.['level'] === undefined) return json;
  const paint = (style: Style, text: string) =>
    colours ? styleText(style, text, { validateStream: false }) : text;
  const level = String(line['level']);
  const parts = [
    paint('gray', String(line['timestamp']).slice(11, 23)),
    paint(styles[level] ?? 'white', level.padEnd(5)),
    paint('cyan', taskOf(line)),
    String(line['message'] ?? ''),
    ...Object.entries(line)
      .filter(([key]) => !left.has(key))
      .map(([key, value]) => `${paint('gray', `${key}=`)}${show(value, colours)}`),
  ];
  return [
    parts.filter(Boolean).join(' '),
    ...errorLines(line['error']).map((one) => (/^ +at /.test(one) ? paint('gray', one) : one)),
  ].join('\n');
}

/** The task, the end of its message's id, and how often it was received, where that is more than once. */
function taskOf(line: Line): string {
  const { message_id, task_name, receive_count } = line;
  if (message_id === undefined) return '';
  const again = Number(receive_count) > 1 ? `×${receive_count}` : '';
  return `[${task_name ?? 'message'} …${String(message_id).slice(-6)}${again}]`;
}

function show(value: unknown, colors: boolean): string {
  return typeof value === 'string' && !/[\s"]/.test(value)
    ? value
    : inspect(value, { colors, depth: 6, breakLength: Number.POSITIVE_INFINITY });
}

function errorLines(error: unknown, prefix = ''): string[] {
  if (typeof error !== 'object' || error === null)
    return error === undefined ? [] : [`    ${prefix}${error}`];
  const { name, message, stack, cause } = error as Line;
  const text = typeof stack === 'string' ? stack : `${name}: ${message}`;
  const shown = text.split('\n').filter((one) => !/\(node:internal\//.test(one));
  const lines = shown.map((one, index) => `    ${index === 0 ? prefix : ''}${one}`);
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
