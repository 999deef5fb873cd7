import type { ChainError } from '../../core/chains/ChainEvent.ts';

const maxCauses = 5;
const maxName = 128;
const maxMessage = 2048;
const maxStack = 4096;

/** The facts of an error for an event. Anything can be thrown, so that nothing here may throw. */
export function describeError(error: unknown, hasStack: boolean, depth = 1): ChainError {
  const { name, message, code, stack, cause } = partsOf(error);
  return {
    name: textOf(name, maxName) ?? typeof error,
    message: textOf(message, maxMessage) ?? textOf(stringOf(error), maxMessage) ?? '',
    ...(textOf(code, maxName) !== undefined && { code: textOf(code, maxName) as string }),
    ...(hasStack && typeof stack === 'string' && { stack: stack.slice(0, maxStack) }),
    ...(cause !== undefined && depth < maxCauses && { cause: describeError(cause, hasStack, depth + 1) }),
  };
}

interface ErrorParts {
  name?: unknown;
  message?: unknown;
  code?: unknown;
  stack?: unknown;
  cause?: unknown;
}

function partsOf(error: unknown): ErrorParts {
  if (typeof error !== 'object' || error === null) return {};
  const parts: ErrorParts = {};
  for (const key of ['name', 'message', 'code', 'stack', 'cause'] as const) {
    try {
      parts[key] = (error as ErrorParts)[key];
    } catch {
      // A getter or a proxy may throw.
    }
  }
  return parts;
}

function textOf(value: unknown, max: number): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, max) : undefined;
}

function stringOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'a value that cannot be shown';
  }
}
