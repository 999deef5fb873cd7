import type {
  EventEntry,
  FileEntry,
  LogEntry,
  MessageEntry,
  ObjectEntry,
  ReloadEntry,
  RunEntry,
  StreamEntry,
  TaskDetail,
  TasksEntry,
} from './protocol.ts';

/** An entry of the stream as JSON, with its position. Entries that are not kept have no position. */
export interface StreamItem {
  readonly text: string;
  readonly position?: number;
}

/** The entries of a run in memory. The chains that nothing was added to for the longest time are dropped over a limit. */
export interface RunLog {
  add(entry: FileEntry): void;
  /** Sends an entry to the listeners without keeping it. */
  announce(entry: StreamEntry): void;
  /** The kept entries of the stream after a position, in order. */
  after(position: number): StreamItem[];
  /** The position of the latest entry. */
  readonly position: number;
  /** Calls a function with each new entry of the stream. Returns a function that ends that. */
  subscribe(listener: (item: StreamItem) => void): () => void;
  readonly tasks: TasksEntry['tasks'];
  detail(messageId: string): TaskDetail;
  object(pointer: string): ObjectEntry | undefined;
  chainIds(): string[];
  events(chainId: string): EventEntry['event'][];
  /** The number of characters that are kept. */
  readonly size: number;
}

interface Chain {
  readonly id: string;
  events: StreamItem[];
  readonly details: Map<string, Detail>;
  size: number;
}

interface Detail {
  message?: string;
  readonly logs: string[];
}

/** The most lines of logs of one message. */
const maxLogs = 2000;

/** The most reloads that are kept. */
const maxReloads = 20;

/** Entries are kept as JSON: parsed, they take several times the memory. */
export function openRunLog({ maxCharacters }: { maxCharacters: number }): RunLog {
  const chains = new Map<string, Chain>();
  /** The chains of messages that have details. */
  const chainOf = new Map<string, Chain>();
  const objects = new Map<string, string>();
  const listeners = new Set<(item: StreamItem) => void>();
  let run: StreamItem | undefined;
  let tasks: StreamItem | undefined;
  let taskList: TasksEntry['tasks'] = [];
  let reloads: StreamItem[] = [];
  let position = 0;
  let size = 0;

  const publish = (item: StreamItem) => {
    for (const listener of listeners) listener(item);
  };
  const next = (entry: RunEntry | TasksEntry | ReloadEntry | EventEntry): StreamItem => {
    position += 1;
    const item = { text: JSON.stringify(entry), position };
    publish(item);
    return item;
  };
  /** Opens a chain, as the one that was used last. */
  const useChain = (id: string): Chain => {
    const chain = chains.get(id) ?? { id, events: [], details: new Map(), size: 0 };
    chains.delete(id);
    chains.set(id, chain);
    return chain;
  };
  const grow = (chain: Chain, characters: number) => {
    chain.size += characters;
    size += characters;
    trim();
  };
  const drop = (chain: Chain) => {
    chains.delete(chain.id);
    for (const messageId of chain.details.keys()) chainOf.delete(messageId);
    size -= chain.size;
  };
  const trim = () => {
    for (const [pointer, text] of objects) {
      if (size <= maxCharacters) return;
      objects.delete(pointer);
      size -= text.length;
    }
    for (const chain of chains.values()) {
      if (size <= maxCharacters) return;
      // A single chain may be endless, such as a task that sends itself.
      drop(chain);
    }
  };
  const detailOf = (chain: Chain, messageId: string): Detail => {
    const detail = chain.details.get(messageId) ?? { logs: [] };
    chain.details.set(messageId, detail);
    chainOf.set(messageId, chain);
    return detail;
  };

  const addMessage = (entry: MessageEntry) => {
    const chain = useChain(entry.chainId);
    const detail = detailOf(chain, entry.messageId);
    if (detail.message !== undefined) return;
    detail.message = JSON.stringify(entry);
    grow(chain, detail.message.length);
  };
  const addLog = (entry: LogEntry) => {
    const chain = useChain(entry.chainId);
    const { logs } = detailOf(chain, entry.messageId);
    if (logs.length >= maxLogs) return;
    const text = JSON.stringify(entry);
    logs.push(text);
    grow(chain, text.length);
  };
  const addObject = (entry: ObjectEntry) => {
    const text = JSON.stringify(entry);
    size += text.length - (objects.get(entry.pointer)?.length ?? 0);
    objects.set(entry.pointer, text);
    trim();
  };

  return {
    add(entry) {
      switch (entry.kind) {
        case 'run':
          run = next(entry);
          break;
        case 'tasks':
          taskList = entry.tasks;
          tasks = next(entry);
          break;
        case 'reload':
          reloads = [...reloads.slice(1 - maxReloads), next(entry)];
          break;
        case 'event': {
          const chain = useChain(entry.event.chainId);
          const item = next(entry);
          chain.events.push(item);
          grow(chain, item.text.length);
          break;
        }
        case 'message':
          addMessage(entry);
          break;
        case 'log':
          addLog(entry);
          break;
        case 'object':
          addObject(entry);
      }
    },
    announce: (entry) => publish({ text: JSON.stringify(entry) }),
    after(last) {
      const items = [run, tasks, ...reloads, ...[...chains.values()].flatMap(({ events }) => events)];
      const isNew = (item: StreamItem | undefined): item is StreamItem => (item?.position ?? 0) > last;
      return items.filter(isNew).sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
    },
    get position() {
      return position;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    get tasks() {
      return taskList;
    },
    detail(messageId) {
      const { message, logs = [] } = chainOf.get(messageId)?.details.get(messageId) ?? {};
      return {
        ...(message !== undefined && { message: JSON.parse(message) as MessageEntry }),
        logs: logs.map((text) => JSON.parse(text) as LogEntry),
      };
    },
    object(pointer) {
      const text = objects.get(pointer);
      return text === undefined ? undefined : (JSON.parse(text) as ObjectEntry);
    },
    chainIds: () => [...chains.keys()],
    events: (chainId) =>
      (chains.get(chainId)?.events ?? []).map(({ text }) => (JSON.parse(text) as EventEntry).event),
    get size() {
      return size;
    },
  };
}
