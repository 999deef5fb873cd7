export type {
  ChainError,
  ChainEvent,
  DeadLetteredEvent,
  DeliveryEvent,
  DeliveryFields,
  FailedEvent,
  GroupFacts,
  JoinedEvent,
  MessageRole,
  PublishedEvent,
  PublishedMessage,
  ReceivedEvent,
  RetriedEvent,
  SentEvent,
  StartedEvent,
  StoredEvent,
  SucceededEvent,
  TaskFact,
} from './ChainEvent.ts';
export type {
  AttemptState,
  ChainState,
  GroupState,
  TaskState,
  TaskStatus,
} from './ChainState.ts';
export type { ChainReader, EventSink, EventSource } from './EventSink.ts';
export { type ChainFold, chainState, foldChain } from './foldChain.ts';
export { type MemorySink, type MemorySinkOptions, memorySink } from './memorySink.ts';
export { readChainEvent } from './readChainEvent.ts';
export {
  ChainFailedError,
  ChainTimeoutError,
  type GetChainOptions,
  getChain,
  type WaitForChainOptions,
  type WatchChainOptions,
  waitForChain,
  watchChain,
} from './waitForChain.ts';
