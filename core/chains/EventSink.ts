import type { ChainEvent } from './ChainEvent.ts';

/** A destination of chain events. */
export interface EventSink {
  /**
   * Writes events, in order. They may be of several chains. An error is logged once; the events are lost then, and the tasks
   * go on.
   *
   * @param options.signal aborted when nothing waits for the write any more
   */
  write(events: readonly ChainEvent[], options: { signal: AbortSignal }): void | Promise<void>;
  /** How long an event waits for others to be written with it, in milliseconds. Default 100. */
  readonly lingerMillis?: number;
}

/** A place from which the events of a chain can be read. */
export interface EventSource {
  /** Starts to read the events of a chain. */
  open(chainId: string): ChainReader;
}

/** Reads the events of one chain. */
export interface ChainReader {
  /** Resolves to the events that the reader has not returned so far. */
  read(options: { signal?: AbortSignal | undefined }): Promise<readonly unknown[]>;
  /**
   * Calls a function when there may be new events. Returns a function that ends that. Without this method, the source is
   * polled.
   */
  onChange?(wake: () => void): () => void;
}
