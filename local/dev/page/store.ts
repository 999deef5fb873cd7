import type { ChainState } from '../../../core/chains/ChainState.ts';
import { type ChainFold, foldChain } from '../../../core/chains/foldChain.ts';
import type { DevTask, QueueDepth, ReloadEntry, RunEntry, StreamEntry } from '../protocol.ts';

/** The status of a chain. An open chain is running, retrying or waiting, in this order. */
export type ChainStatus = 'waiting' | 'running' | 'retrying' | 'succeeded' | 'failed';

/** A chain as the list shows it. */
export interface Chain {
  readonly chainId: string;
  readonly state: ChainState;
  readonly status: ChainStatus;
  /** How many tasks have an error. */
  readonly errors: number;
  /** Its id, the names of its tasks and its errors, in lower case. */
  readonly text: string;
}

export type Connection = 'connecting' | 'open' | 'lost' | 'refused';

/** Everything that the stream has told so far. */
export interface Store {
  readonly run: RunEntry | undefined;
  readonly tasks: readonly DevTask[];
  readonly reload: ReloadEntry | undefined;
  readonly depths: Readonly<Record<string, QueueDepth>>;
  readonly connection: Connection;
  /** The newest first. */
  readonly chains: readonly Chain[];
  /** Rises with every change. */
  readonly version: number;
  chain(chainId: string): Chain | undefined;
  add(entries: readonly StreamEntry[]): void;
  setConnection(connection: Connection): void;
  /** Calls a function after each change. Returns a function that ends that. */
  subscribe(listener: () => void): () => void;
}

/** More chains would slow the page down. The oldest are dropped. */
const maxChains = 5000;
/** How long the states of chains may be computed at once, in milliseconds, so that a click is not delayed. */
const maxBusyMillis = 10;

interface Folded {
  fold: ChainFold;
  chain: Chain | undefined;
  /** The time of its latest event. */
  updatedAt: number;
  /** When the state may be computed again: that of a chain with thousands of tasks takes a while. */
  nextAt: number;
}

/**
 * Makes an empty store.
 *
 * @param schedule calls a function soon, once: `requestAnimationFrame`
 */
export function createStore(schedule: (work: () => void) => void): Store {
  const folds = new Map<string, Folded>();
  const changed = new Set<string>();
  const listeners = new Set<() => void>();
  let isScheduled = false;
  const store = {
    run: undefined as RunEntry | undefined,
    tasks: [] as readonly DevTask[],
    reload: undefined as ReloadEntry | undefined,
    depths: Object.create(null) as Record<string, QueueDepth>,
    connection: 'connecting' as Connection,
    chains: [] as readonly Chain[],
    version: 0,
    chain: (chainId: string) => folds.get(chainId)?.chain,
    add(entries: readonly StreamEntry[]) {
      for (const entry of entries) addEntry(entry);
      update();
    },
    setConnection(connection: Connection) {
      store.connection = connection;
      update();
    },
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return store;

  function addEntry(entry: StreamEntry): void {
    switch (entry.kind) {
      case 'run':
        // Another run: the server was started again, and its chains are gone.
        if (store.run && store.run.startedAt !== entry.startedAt) clear();
        store.run = entry;
        break;
      case 'tasks':
        store.tasks = entry.tasks;
        break;
      case 'reload':
        store.reload = entry;
        break;
      case 'depths':
        store.depths = entry.depths;
        break;
      case 'event': {
        const { chainId } = entry.event;
        let folded = folds.get(chainId);
        if (!folded) {
          folded = { fold: foldChain(chainId), chain: undefined, updatedAt: 0, nextAt: 0 };
          folds.set(chainId, folded);
        }
        if (!folded.fold.add(entry.event)) break;
        folded.updatedAt = Math.max(folded.updatedAt, entry.event.at);
        changed.add(chainId);
      }
    }
  }

  function clear(): void {
    folds.clear();
    changed.clear();
    store.chains = [];
    store.reload = undefined;
  }

  function update(): void {
    if (isScheduled) return;
    isScheduled = true;
    schedule(flush);
  }

  function flush(): void {
    isScheduled = false;
    if (changed.size > 0) refold();
    store.version++;
    for (const listener of listeners) listener();
    if (changed.size > 0) update();
  }

  /** Computes the states of the chains that have changed, as far as the time allows. */
  function refold(): void {
    const startedAt = performance.now();
    for (const chainId of changed) {
      const folded = folds.get(chainId);
      const before = performance.now();
      if (before - startedAt > maxBusyMillis) break;
      if (folded && folded.nextAt > before) continue;
      changed.delete(chainId);
      const state = folded?.fold.state();
      if (!folded || !state) continue;
      folded.chain = chainOf(state);
      const now = performance.now();
      folded.nextAt = now + (now - before) * 5;
    }
    if (folds.size > maxChains) drop();
    store.chains = [...folds.values()].flatMap(({ chain }) => chain ?? []).sort(compareChains);
  }

  function drop(): void {
    const all = [...folds].sort(([, a], [, b]) => b.updatedAt - a.updatedAt);
    for (const [chainId] of all.slice(maxChains)) folds.delete(chainId);
  }
}

function compareChains(a: Chain, b: Chain): number {
  return b.state.startedAt - a.state.startedAt || (a.chainId < b.chainId ? -1 : 1);
}

function chainOf(state: ChainState): Chain {
  const { chainId, tasks } = state;
  const texts = new Set([chainId]);
  let errors = 0;
  for (const { taskName, error } of tasks) {
    if (taskName !== undefined) texts.add(taskName);
    if (error) {
      errors++;
      texts.add(`${error.name} ${error.code ?? ''} ${error.message}`);
    }
  }
  return { chainId, state, status: statusOf(state), errors, text: [...texts].join('\n').toLowerCase() };
}

function statusOf({ status, tasks }: ChainState): ChainStatus {
  if (status !== 'open') return status;
  if (tasks.some((task) => task.status === 'running')) return 'running';
  return tasks.some((task) => task.status === 'retrying') ? 'retrying' : 'waiting';
}
