import type { StreamEntry } from '../protocol.ts';
import { token } from './api.ts';
import type { Store } from './store.ts';

const retryMillis = 3000;

/**
 * Reads the stream into the store. A browser resumes a broken stream where it ended; a refused one is tried again here.
 */
export function connect(store: Store): void {
  const source = new EventSource(`api/stream?${new URLSearchParams({ token })}`);
  source.onopen = () => store.setConnection('open');
  source.onmessage = ({ data }: MessageEvent<string>) => store.add(JSON.parse(data) as StreamEntry[]);
  source.onerror = () => {
    const isRefused = source.readyState === EventSource.CLOSED;
    store.setConnection(isRefused ? 'refused' : 'lost');
    if (isRefused) setTimeout(() => connect(store), retryMillis);
  };
}
