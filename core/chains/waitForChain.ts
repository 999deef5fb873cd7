import { checkOption, checkOptions, duration, type OptionCheck, text, withMethod } from '../checkOptions.ts';
import { AlgernonError, isAlgernonError } from '../errors.ts';
import { chainIdPattern } from '../tasks/chainId.ts';
import type { ChainState } from './ChainState.ts';
import type { ChainReader, EventSource } from './EventSink.ts';
import { foldChain } from './foldChain.ts';

/** Options of {@link getChain}. */
export interface GetChainOptions {
  /** Where the events are: `s3Sink()`, `memorySink()`, or a source of your own. */
  from: EventSource;
  /** Aborts the reading. */
  signal?: AbortSignal;
}

/** Options of {@link watchChain}. */
export interface WatchChainOptions extends GetChainOptions {
  /**
   * The shortest time between two looks at a source that is polled, in seconds. It doubles, to at most 5 seconds, as long as
   * nothing changes. Default 0.25.
   */
  pollSeconds?: number;
}

/** Options of {@link waitForChain}. */
export interface WaitForChainOptions extends WatchChainOptions {
  /** How long to wait, in seconds. Default 60; Infinity means until the signal is aborted. */
  timeoutSeconds?: number;
}

/** A chain was not done in time. */
export class ChainTimeoutError extends AlgernonError {
  override readonly name = 'ChainTimeoutError';
  /** The state so far; undefined if no event has come. */
  readonly state: ChainState | undefined;

  constructor(chainId: string, timeoutSeconds: number, state: ChainState | undefined) {
    super(
      'CHAIN_TIMEOUT',
      `The chain ${chainId} was not done within ${timeoutSeconds} s: ${describeOpen(state)}.`,
      { retryable: true },
    );
    this.state = state;
  }
}

/** A task of a chain has failed for good. `cause` is its error, as its event describes it. */
export class ChainFailedError extends AlgernonError {
  override readonly name = 'ChainFailedError';
  /** The state of the chain. */
  readonly state: ChainState;

  constructor(state: ChainState) {
    const failed = state.tasks.find(({ status }) => status === 'failed');
    const { taskName = 'A task', error } = failed ?? {};
    super(
      'CHAIN_FAILED',
      `${taskName} of the chain ${state.chainId} has failed: ${error ? `${error.name}: ${error.message}` : 'see its dead-letter queue'}.`,
      { cause: error, messageId: failed?.messageId },
    );
    this.state = state;
  }
}

/**
 * Reads the state of a chain.
 *
 * @returns undefined if the source has no event of it
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * const chain = await getChain(chainId, { from: s3Sink({ bucket: 'my-bucket' }) });
 */
export async function getChain(chainId: string, options: GetChainOptions): Promise<ChainState | undefined> {
  checkReading('getChain', chainId, options, {});
  const fold = foldChain(chainId);
  for (const event of await options.from.open(chainId).read({ signal: options.signal })) fold.add(event);
  return fold.state();
}

/**
 * Follows a chain: yields its state now, and after each change, until no task of it is open. Faults of the source that may
 * pass are ignored.
 *
 * @throws OptionError when an option is unknown or has a bad value; the reason of the signal when it is aborted
 * @example
 * for await (const { status, open } of watchChain(chainId, { from: events })) console.info(status, open.length);
 */
export async function* watchChain(
  chainId: string,
  options: WatchChainOptions,
): AsyncGenerator<ChainState, void, undefined> {
  checkReading('watchChain', chainId, options, { pollSeconds: duration('seconds') });
  yield* statesOf(chainId, options);
}

/**
 * Waits until no task of a chain is open.
 *
 * @returns the state of the chain, in which every task has succeeded
 * @throws ChainFailedError `CHAIN_FAILED` when a task is in a dead-letter queue and nothing else is open
 * @throws ChainTimeoutError `CHAIN_TIMEOUT`; OptionError; the reason of the signal when it is aborted
 * @example
 * const { chainId } = await sendTask({ task_name: 'load', callback: 'load#report' }, { topics, events });
 * const { tasks } = await waitForChain(chainId, { from: events, timeoutSeconds: 30 });
 */
export async function waitForChain(chainId: string, options: WaitForChainOptions): Promise<ChainState> {
  checkReading('waitForChain', chainId, options, {
    pollSeconds: duration('seconds'),
    timeoutSeconds: duration('seconds'),
  });
  const { timeoutSeconds = 60, signal: given, ...rest } = options;
  const timeout = new AbortController();
  const signal = given ? AbortSignal.any([given, timeout.signal]) : timeout.signal;
  const millis = timeoutSeconds * 1000;
  const timer = millis <= 2_147_483_647 ? setTimeout(() => timeout.abort(), millis) : undefined;
  let last: ChainState | undefined;
  try {
    for await (const state of statesOf(chainId, { ...rest, signal })) last = state;
  } catch (error) {
    if (timeout.signal.aborted && !given?.aborted) throw new ChainTimeoutError(chainId, timeoutSeconds, last);
    throw error;
  } finally {
    clearTimeout(timer);
  }
  // The states end with one that is not open.
  if (last?.status === 'failed') throw new ChainFailedError(last);
  return last as ChainState;
}

function checkReading(
  owner: string,
  chainId: string,
  options: GetChainOptions,
  more: Readonly<Record<string, OptionCheck>>,
): void {
  checkOption(owner, 'the chain id', chainId, text('1 to 128 letters, digits and "_.:-"', chainIdPattern));
  const from = withMethod('open', 'a source such as s3Sink()');
  const signal = withMethod('addEventListener', 'an AbortSignal');
  checkOptions(owner, options as object, { from, signal, ...more } as Record<string, OptionCheck>);
  checkOption(owner, 'from', options.from, from);
}

const longestPollMillis = 5000;

async function* statesOf(chainId: string, options: WatchChainOptions): AsyncGenerator<ChainState> {
  const { from, signal, pollSeconds = 0.25 } = options;
  const fold = foldChain(chainId);
  const reader = from.open(chainId);
  const alarm = openAlarm(reader, signal);
  let delay = pollSeconds * 1000;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const isChanged = await addNew();
      const state = isChanged ? fold.state() : undefined;
      if (state) yield state;
      if (state && state.status !== 'open') return;
      delay = isChanged
        ? pollSeconds * 1000
        : Math.min(delay * 2, Math.max(longestPollMillis, pollSeconds * 1000));
      await alarm.wait(delay);
    }
  } finally {
    alarm.close();
  }

  async function addNew(): Promise<boolean> {
    let events: readonly unknown[] = [];
    try {
      events = await reader.read({ signal });
    } catch (error) {
      signal?.throwIfAborted();
      if (!isAlgernonError(error) || !error.retryable) throw error;
    }
    return events.filter((event) => fold.add(event)).length > 0;
  }
}

/** Wakes a reader: after a time, when its source has changed, or when it must stop. */
function openAlarm(reader: ChainReader, signal: AbortSignal | undefined) {
  let isRinging = false;
  let wake: (() => void) | undefined;
  const ring = () => {
    isRinging = true;
    wake?.();
  };
  const unsubscribe = reader.onChange?.(ring);
  signal?.addEventListener('abort', ring);
  return {
    async wait(millis: number): Promise<void> {
      let timer: ReturnType<typeof setTimeout> | undefined;
      if (!isRinging) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (!reader.onChange) timer = setTimeout(resolve, millis);
        });
      }
      clearTimeout(timer);
      isRinging = false;
    },
    close(): void {
      unsubscribe?.();
      signal?.removeEventListener('abort', ring);
    },
  };
}

function describeOpen(state: ChainState | undefined): string {
  if (!state) return 'there is no event of it. The worker needs chainEvents(), with the same sink';
  const [messageId] = state.open;
  const task = state.tasks.find((other) => other.messageId === messageId);
  if (!task) return 'no task is open, but messages or branches are missing';
  const more = state.open.length > 1 ? `, and ${state.open.length - 1} more tasks are open` : '';
  return `${task.taskName ?? task.messageId} is ${task.status}${more}`;
}
