import type { LogFormatter, Logger } from '@aws-lambda-powertools/logger';
import type { UnformattedAttributes } from '@aws-lambda-powertools/logger/types';
import { hideSecrets, hideSignatures } from './hideSecrets.ts';
import { currentScope } from './scope.ts';

type Additional = Parameters<LogFormatter['formatAttributes']>[1];
type FormattedError = ReturnType<LogFormatter['formatError']>;

const bound = new WeakSet<LogFormatter>();
/** What Powertools calls a service that nobody has named. */
const serviceless = 'service_undefined';
/** How many errors of an AggregateError are shown. */
const maxErrors = 10;

/**
 * Makes a logger, and the children it has, write the keys of whatever is running into every line, and no secrets.
 * Powertools' own keys belong to a logger, and so to all the tasks and invocations that run at once; hence the
 * formatter, which every line goes through.
 */
export function bindLogger(logger: Logger): void {
  const formatter = logger['getLogFormatter']();
  if (bound.has(formatter)) return;
  bound.add(formatter);
  const formatAttributes = formatter.formatAttributes.bind(formatter);
  const formatError = formatter.formatError.bind(formatter);
  const ancestors: Error[] = [];

  formatter.formatAttributes = (attributes: UnformattedAttributes, additional: Additional) => {
    const scope = currentScope();
    const shown = hideSecrets(additional);
    if (typeof attributes.message === 'string') attributes.message = hideSignatures(attributes.message);
    if (!scope) return formatAttributes(attributes, shown);
    const { lambdaContext } = scope.invocation;
    const isNameless = attributes.serviceName === serviceless;
    // Made for this line alone.
    Object.assign(attributes, { lambdaContext }, isNameless && { serviceName: lambdaContext?.functionName });
    return formatAttributes(attributes, { ...scope.keys, ...shown });
  };

  formatter.formatError = (error: Error): FormattedError => {
    // An error may be its own cause, in however wide a circle.
    if (ancestors.includes(error)) return inShort(error);
    ancestors.push(error);
    try {
      const formatted = hideSecrets({ ...formatError(error) }) as FormattedError & { errors?: unknown };
      if (typeof formatted.stack === 'string') formatted.stack = hideSignatures(formatted.stack);
      if (error instanceof AggregateError) formatted.errors = error.errors.slice(0, maxErrors);
      return formatted;
    } catch {
      // A getter that throws.
      return inShort(error);
    } finally {
      ancestors.pop();
    }
  };
}

function inShort({ name, message }: Error): FormattedError {
  return { name, message: hideSignatures(String(message)), location: '' };
}
