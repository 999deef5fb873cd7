import { checkOptions, whole } from '../checkOptions.ts';
import type { ChainEvent } from './ChainEvent.ts';
import type { EventSink, EventSource } from './EventSink.ts';

/** Options of {@link memorySink}. */
export interface MemorySinkOptions {
  /** The maximum number of events. Beyond it, the chains that started first are removed. Default 100,000. */
  maxEvents?: number;
}

/** Chain events in the memory of this process. */
export interface MemorySink extends EventSink, EventSource {
  /** The ids of the chains, the oldest first. */
  chainIds(): string[];
  /** The events of a chain, or all events. */
  events(chainId?: string): readonly ChainEvent[];
  /** Calls a function with new events. Returns a function that ends that. */
  subscribe(listener: (events: readonly ChainEvent[]) => void): () => void;
}

/**
 * Keeps chain events in memory, for tests and local development. It is a sink and a source.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * const events = memorySink();
 * const handler = middy(queued(worker)).use(chainEvents({ to: events })).use(sqsSnsUnwrap());
 * const { chainId } = await sendTask({ task_name: 'load' }, { topics, events });
 * const { tasks } = await waitForChain(chainId, { from: events });
 */
export function memorySink(options: MemorySinkOptions = {}): MemorySink {
  const { maxEvents = 100_000 } = checkOptions('memorySink', options, { maxEvents: whole(1) });
  const chains = new Map<string, ChainEvent[]>();
  const listeners = new Set<(events: readonly ChainEvent[]) => void>();
  let count = 0;

  const trim = () => {
    for (const [chainId, events] of chains) {
      if (count <= maxEvents || chains.size === 1) return;
      chains.delete(chainId);
      count -= events.length;
    }
  };

  return {
    lingerMillis: 0,

    write(events) {
      for (const event of events) {
        const ofChain = chains.get(event.chainId);
        if (ofChain) ofChain.push(event);
        else chains.set(event.chainId, [event]);
      }
      count += events.length;
      trim();
      for (const listener of [...listeners]) listener(events);
    },

    chainIds: () => [...chains.keys()],
    events: (chainId) =>
      chainId === undefined ? [...chains.values()].flat() : [...(chains.get(chainId) ?? [])],

    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    open(chainId) {
      let read = 0;
      return {
        async read() {
          const events = chains.get(chainId)?.slice(read) ?? [];
          read += events.length;
          return events;
        },
        onChange(wake) {
          const listener = (events: readonly ChainEvent[]) => {
            if (events.some((event) => event.chainId === chainId)) wake();
          };
          listeners.add(listener);
          return () => void listeners.delete(listener);
        },
      };
    },
  };
}
