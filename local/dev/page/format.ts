import { escapeControls } from '../../../core/escapeControls.ts';

/** A duration in milliseconds for people: `12 ms`, `1.24 s`, `2 m 03 s`. */
export function formatDuration(millis: number): string {
  if (millis < 1000) return `${Math.round(millis)} ms`;
  if (millis < 10_000) return `${(millis / 1000).toFixed(2)} s`;
  if (millis < 60_000) return `${(millis / 1000).toFixed(1)} s`;
  const seconds = Math.round(millis / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  return hours > 0 ? `${hours} h ${twoDigits(minutes)} m` : `${minutes} m ${twoDigits(seconds % 60)} s`;
}

/** How long ago something was. */
export function formatAge(millis: number): string {
  const seconds = Math.floor(millis / 1000);
  if (seconds < 1) return 'now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** The time of day, in the zone of the browser. */
export function formatTime(at: number): string {
  const date = new Date(at);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
  return `${time}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** `1 task`, `2 tasks`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? noun : plural}`;
}

/** A text of a message with its control characters shown, and those that would reverse other text. */
export function visible(text: string): string {
  return escapeControls(text, { lines: true });
}

/** The last part of an ARN or a URL. */
export function lastPart(address: string): string {
  return address.slice(Math.max(address.lastIndexOf(':'), address.lastIndexOf('/')) + 1);
}

/** JSON text with line breaks. Its tokens stay as they are written, since JSON.parse would lose digits. */
export function indentJson(text: string): string {
  let result = '';
  let level = 0;
  const line = () => `\n${'  '.repeat(Math.min(level, 40))}`;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"?|[[{]\s*[\]}]|[^\s"[\]{},:]+|[[\]{},:]/g)) {
    if (/^[[{]$/.test(token)) {
      level++;
      result += token + line();
    } else if (token === ']' || token === '}') {
      level = Math.max(0, level - 1);
      result += line() + token;
    } else if (token === ',') result += `,${line()}`;
    else if (token === ':') result += ': ';
    else result += token.startsWith('"') ? token : token.replace(/\s/g, '');
  }
  return result;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
