import { isNativeError } from 'node:util/types';

/** The maximum length of an error's message. */
export const maxMessage = 4096;
/** The maximum length of the message at the head of a stack. */
const maxHead = 1024;
/** The maximum length of the frames below it. */
const maxFrames = 6144;

/** Cuts a text, and notes how many characters are missing. */
export function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max)}… ${text.length - max} more characters`;
}

/** Cuts a stack, which begins with the message, so that the frames stay. */
export function cutStack(stack: string, message: string): string {
  if (stack.length <= maxHead) return stack;
  const start = message === '' ? -1 : stack.indexOf(message);
  const end = start < 0 ? stack.search(/\n\s+at /) : start + message.length;
  if (end < 0) return cut(stack, maxFrames);
  return cut(stack.slice(0, end), maxHead) + cut(stack.slice(end), maxFrames);
}

/** The short form of an error that is shown in full elsewhere. Never throws. */
export function errorInShort(error: object): { name: string; message: string } {
  const read = (key: 'name' | 'message') => {
    try {
      return cut(String((error as Error)[key]), 256);
    } catch {
      return '[unreadable]';
    }
  };
  return { name: read('name'), message: read('message') };
}

/** Whether a value is an error, including one of another realm. False for a proxy that throws. */
export function isError(value: unknown): value is Error {
  try {
    return isNativeError(value) || value instanceof Error;
  } catch {
    return false;
  }
}
