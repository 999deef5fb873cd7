// Imported, so that a test's fake timers do not stop them.
import { clearTimeout, setTimeout } from 'node:timers';
import type { ChainEvent } from '../../core/chains/ChainEvent.ts';
import type { EventSink } from '../../core/chains/EventSink.ts';
import { checkOption, either, func, listOf, type OptionCheck, withMethod } from '../../core/checkOptions.ts';
import { AlgernonError } from '../../core/errors.ts';
import { startTimer } from '../timing/startTimer.ts';

/** A destination of chain events: a sink such as `s3Sink()`, or a function. */
export type EventTarget = EventSink | EventSink['write'];

/** Passes events on to a sink. Neither method throws or rejects. */
export interface EventWriter {
  add(event: ChainEvent): void;
  /** Writes the events that wait, and resolves when they are written or the time is over. */
  flush(waitMillis: number): Promise<void>;
}

/** The maximum number of events that wait for a slow sink. */
const maxWaiting = 10_000;
/** The maximum number of events in one write. */
const maxPerWrite = 1000;
/** A write that takes longer is given up, in milliseconds. */
const maxWriteMillis = 10_000;
const defaultLingerMillis = 100;

/** A sink has one writer, so that its writes follow each other. */
const writers = new WeakMap<EventTarget, EventWriter>();

/** The check of an option that takes sinks. */
export const eventTargets: OptionCheck = /* @__PURE__ */ targetCheck();

function targetCheck(): OptionCheck {
  const target = either(func, withMethod('write', 'a sink such as s3Sink()'));
  return either(target, listOf(target));
}

/**
 * The writers of the sinks in an option.
 *
 * @throws OptionError when the option has a bad value
 */
export function writersOf(
  owner: string,
  option: string,
  targets: EventTarget | readonly EventTarget[],
): EventWriter[] {
  checkOption(owner, option, targets, eventTargets);
  return [targets].flat().map((target) => {
    const writer = writers.get(target) ?? openWriter(target);
    writers.set(target, writer);
    return writer;
  });
}

function openWriter(target: EventTarget): EventWriter {
  const sink: EventSink = typeof target === 'function' ? { write: target } : target;
  const { lingerMillis = defaultLingerMillis } = sink;
  let waiting: ChainEvent[] = [];
  let writing: Promise<void> | undefined;
  let stopTimer: (() => void) | undefined;
  const isWarned = { failed: false, dropped: false };

  const warn = (kind: keyof typeof isWarned, error: AlgernonError) => {
    if (!isWarned[kind]) console.warn(error);
    isWarned[kind] = true;
  };

  const writeNow = () => {
    stopTimer?.();
    stopTimer = undefined;
    if (writing || waiting.length === 0) return;
    const events = waiting.slice(0, maxPerWrite);
    waiting = waiting.slice(maxPerWrite);
    writing = writeInTime(sink, events)
      .catch((cause: unknown) => warn('failed', notWritten(cause)))
      .then(() => {
        writing = undefined;
        writeNow();
      });
  };

  return {
    add(event) {
      if (waiting.length >= maxWaiting) return warn('dropped', dropped());
      waiting.push(event);
      if (lingerMillis === 0) writeNow();
      else if (!writing) stopTimer ??= startTimer(lingerMillis, writeNow);
    },

    async flush(waitMillis) {
      const isIdle = () => writing === undefined;
      writeNow();
      if (isIdle()) return;
      let isOver = false;
      let stop: (() => void) | undefined;
      const over = new Promise<void>((resolve) => {
        stop = startTimer(waitMillis, () => {
          isOver = true;
          resolve();
        });
      });
      while (!isIdle() && !isOver) await Promise.race([writing, over]);
      stop?.();
    },
  };
}

async function writeInTime(sink: EventSink, events: readonly ChainEvent[]): Promise<void> {
  const stop = new AbortController();
  const written = sink.write(events, { signal: stop.signal });
  if (!written) return;
  let stopTimer: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`the sink did not answer within ${maxWriteMillis / 1000} s`));
      stop.abort();
    }, maxWriteMillis);
    // Nothing waits for it, so it must not keep the process alive.
    timer.unref();
    stopTimer = () => clearTimeout(timer);
  });
  try {
    await Promise.race([written, late]);
  } finally {
    stopTimer?.();
  }
}

function notWritten(cause: unknown): AlgernonError {
  const { code, name } = Object(cause) as { code?: unknown; name?: unknown };
  return new AlgernonError(
    'EVENTS_NOT_WRITTEN',
    `Chain events were not written (${String(code ?? name)}: ${String((cause as Error | undefined)?.message ?? cause)}). ` +
      'The tasks go on. Further failures of this sink are not logged.',
    { cause, retryable: true },
  );
}

function dropped(): AlgernonError {
  return new AlgernonError(
    'EVENTS_DROPPED',
    `More than ${maxWaiting} chain events wait for a slow sink, and further ones are dropped. The tasks go on.`,
    { retryable: true },
  );
}
