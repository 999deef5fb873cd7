import { LogFormatter, type Logger } from '@aws-lambda-powertools/logger';
import type { UnformattedAttributes } from '@aws-lambda-powertools/logger/types';
import { bindKeys, withAppendedKeys } from './appendedKeys.ts';
import { boundedCopy } from './boundedCopy.ts';
import { cutStack, isError } from './errorText.ts';
import { formatterOf } from './powertoolsPrivates.ts';
import { type Fields, readError } from './readFields.ts';
import { currentScope } from './scope.ts';
import { cutRedacted, isSecret, redactText } from './secrets.ts';

type Additional = Parameters<LogFormatter['formatAttributes']>[1];
type FormattedError = ReturnType<LogFormatter['formatError']>;

const bound = new WeakSet<LogFormatter>();
const boundLoggers = new WeakSet<Logger>();
/** Powertools' default service name. */
const serviceless = 'service_undefined';
const maxExtraKeys = 1000;
/** The maximum length of a line's message. */
export const maxLineMessage = 32_768;

/**
 * Makes a logger and its children add the keys of the running task to every line, redact secrets, and limit the size of a
 * line. It patches the formatter, which sees every line: Powertools' own keys belong to a logger, and so to all
 * concurrent tasks.
 */
export function bindLogger(logger: Logger): void {
  if (!boundLoggers.has(logger)) {
    boundLoggers.add(logger);
    bindKeys(logger, bindLogger);
    bindExtras(logger);
  }
  const formatter = formatterOf(logger);
  if (bound.has(formatter)) return;
  bound.add(formatter);
  const formatAttributes = formatter.formatAttributes.bind(formatter);
  const toFields = errorReader(formatter);

  formatter.formatAttributes = (attributes: UnformattedAttributes, additional: Additional) => {
    const scope = currentScope();
    const { message } = attributes;
    attributes.message = (
      typeof message === 'string' ? cutRedacted(message, maxLineMessage) : boundedCopy(message, { toFields })
    ) as string;
    const fields = scope ? withAppendedKeys(formatter, scope, additional) : additional;
    const shown = boundFields(fields as Additional, toFields);
    if (!scope) return formatAttributes(attributes, shown);
    const { lambdaContext } = scope.invocation;
    const isNameless = attributes.serviceName === serviceless;
    // The object is used for this line only.
    Object.assign(attributes, { lambdaContext }, isNameless && { serviceName: lambdaContext?.functionName });
    return formatAttributes(attributes, { ...scope.keys, ...shown });
  };

  formatter.formatError = (error: Error) => boundedCopy(error, { toFields }) as FormattedError;
}

/** Powertools copies every key of an extra argument before the formatter sees it. */
function bindExtras(logger: Logger): void {
  for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'critical'] as const) {
    const write = logger[level].bind(logger) as (...args: unknown[]) => void;
    logger[level] = (...args: unknown[]) => {
      if (args.some(isLarge)) args = args.map((arg) => (isLarge(arg) ? boundedCopy(arg) : arg));
      write(...args);
    };
  }
}

function isLarge(extra: unknown): boolean {
  if (typeof extra !== 'object' || extra === null || isError(extra)) return false;
  try {
    if (Array.isArray(extra)) return extra.length > maxExtraKeys;
    return ArrayBuffer.isView(extra) || Object.keys(extra).length > maxExtraKeys;
  } catch {
    // A proxy that throws: Powertools would throw too.
    return true;
  }
}

/** Leaves the error as it is, since a custom formatter or replacer may look for it. It is formatted when it is written. */
function boundFields(additional: Additional, toFields: (error: Error) => Fields): Additional {
  if (isPlain(additional)) return additional;
  const { error } = additional as { error?: unknown };
  if (!isError(error) || 'toJSON' in error) return boundedCopy(additional, { toFields }) as Additional;
  return { ...(boundedCopy({ ...additional, error: null }, { toFields }) as Additional), error };
}

/** Most lines have a few short fields, which need no copy. */
function isPlain(fields: Additional): boolean {
  let count = 0;
  for (const [key, value] of Object.entries(fields as Record<string, unknown>)) {
    count += 1;
    const isShort = typeof value === 'string' ? value.length < 256 && redactText(value) === value : true;
    if (count > 32 || !isShort || (typeof value === 'object' && value !== null)) return false;
    if (typeof value === 'function' || key.length > 64 || isSecret(key, value)) return false;
  }
  return true;
}

/** Reads the fields of an error as the formatter shows them. */
function errorReader(formatter: LogFormatter): (error: Error) => Fields {
  const { formatError } = formatter;
  if (formatError === LogFormatter.prototype.formatError) {
    return (error) => readError(error, (stack) => formatter.getCodeLocation(stack));
  }
  return (error) => {
    const bounded = formatter.formatError;
    // The causes are formatted later.
    formatter.formatError = (cause) => cause as unknown as FormattedError;
    try {
      const fields = formatError.call(formatter, error);
      if (typeof fields.stack === 'string') fields.stack = cutStack(fields.stack, String(error.message));
      return { fields: Object.entries(fields).map(([key, item]) => ({ key, item })), rest: 0 };
    } finally {
      formatter.formatError = bounded;
    }
  };
}
