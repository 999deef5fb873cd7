import { AsyncLocalStorage } from 'node:async_hooks';
import type { LogFormatter, Logger } from '@aws-lambda-powertools/logger';

type Unformatted = Parameters<LogFormatter['formatAttributes']>[0];
type Additional = Parameters<LogFormatter['formatAttributes']>[1];
type Keys = Record<string, string | number | undefined>;

const current = new AsyncLocalStorage<Keys>();

/** Runs something with keys for every line that is logged in it, however deep and however many run at once. */
export function withTaskKeys<T>(keys: Keys, work: () => T): T {
  return current.run(keys, work);
}

/** Adds to the keys of what is running. */
export function addToTaskKeys(keys: Keys): void {
  Object.assign(current.getStore() ?? {}, keys);
}

const adding = new WeakSet<LogFormatter>();

/**
 * Makes a logger add the keys of what is running to every line. Powertools' own keys belong to a logger, and so to all
 * the tasks that run at once; hence the formatter, which every line goes through.
 */
export function addTaskKeys(logger: Logger): void {
  const formatter = logger['getLogFormatter']();
  if (adding.has(formatter)) return;
  const formatAttributes = formatter.formatAttributes.bind(formatter);
  formatter.formatAttributes = (attributes: Unformatted, additional: Additional) =>
    formatAttributes(attributes, { ...current.getStore(), ...additional });
  adding.add(formatter);
}
