import type { Logger } from '@aws-lambda-powertools/logger';
import { formatterOf } from './powertoolsPrivates.ts';
import { currentScope, type Scope } from './scope.ts';

type Attributes = Record<string, unknown>;

interface AppendedKey {
  readonly value: unknown;
  /** The logger's persistent value of the key. A line with a different value sets the key itself. */
  readonly own: unknown;
  readonly isRemoved?: boolean;
}
type AppendedKeys = Map<string, AppendedKey>;

/** By the formatter, which a logger shares with its children, then by the task or the invocation. */
const families = new WeakMap<object, WeakMap<object, AppendedKeys>>();
/** The keys that Powertools drops. */
const reserved = new Set(['level', 'message', 'sampling_rate', 'service', 'timestamp']);

/**
 * Makes `appendKeys`, `removeKeys` and `resetKeys` of a logger act on the running task, or on the invocation outside of
 * tasks. Powertools keeps such keys in the logger, so that concurrent tasks would share them. Persistent keys stay in the
 * logger.
 *
 * @param bindChild called for each child logger that is made later
 */
export function bindKeys(logger: Logger, bindChild: (child: Logger) => void): void {
  const appendKeys = logger.appendKeys.bind(logger);
  const removeKeys = logger.removeKeys.bind(logger);
  const resetKeys = logger.resetKeys.bind(logger);
  const createChild = logger.createChild.bind(logger);
  const getCorrelationId = logger.getCorrelationId.bind(logger);
  const formatter = formatterOf(logger);

  logger.appendKeys = (attributes: Attributes) => {
    const scope = currentScope();
    if (!scope) return appendKeys(attributes as never);
    const keys = keysOf(formatter, scope);
    const persistent: Attributes = logger.getPersistentLogAttributes();
    for (const [key, value] of Object.entries(attributes)) {
      if (reserved.has(key)) logger.warn(`The key "${key}" is a reserved key and will be dropped.`);
      else keys.set(key, { value, own: persistent[key] });
    }
  };
  logger.removeKeys = (names: string[]) => {
    const scope = currentScope();
    if (!scope || scope.isRoot) removeKeys(names);
    if (!scope) return;
    for (const name of names) {
      keysOf(formatter, scope).set(name, { value: undefined, own: undefined, isRemoved: true });
    }
  };
  logger.resetKeys = () => {
    resetKeys();
    const scope = currentScope();
    if (scope) keysOf(formatter, scope).clear();
  };
  logger.getCorrelationId = () => {
    const scope = currentScope();
    const appended = scope && allKeysOf(formatter, scope).get('correlation_id');
    return appended && !appended.isRemoved ? appended.value : getCorrelationId();
  };
  logger.createChild = (options) => {
    const child = createChild(options);
    bindChild(child);
    return child;
  };
}

/** Adds the keys that were appended in the task and the invocation to the fields of a line. */
export function withAppendedKeys(formatter: object, scope: Scope, fields: Attributes): Attributes {
  if (!families.has(formatter)) return fields;
  const all = allKeysOf(formatter, scope);
  const merged = { ...fields };
  for (const [key, { value, own, isRemoved }] of all) {
    if (!isRemoved && (!Object.hasOwn(fields, key) || fields[key] === own)) merged[key] = value;
  }
  return merged;
}

function allKeysOf(formatter: object, scope: Scope): AppendedKeys {
  const family = families.get(formatter);
  const ofInvocation = family?.get(scope.invocation);
  const ofTask = family?.get(scope);
  return new Map([...(ofInvocation ?? []), ...(ofTask ?? [])]);
}

function keysOf(formatter: object, scope: Scope): AppendedKeys {
  const family = families.get(formatter) ?? new WeakMap<object, AppendedKeys>();
  families.set(formatter, family);
  const owner = scope.isRoot ? scope.invocation : scope;
  const keys = family.get(owner) ?? new Map();
  family.set(owner, keys);
  return keys;
}
