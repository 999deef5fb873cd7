import type { Store } from './store.ts';

/** The shortest time between two announcements of changes, so that a busy run does not talk all the time. */
const quietMillis = 5000;

const region = document.createElement('p');
region.setAttribute('role', 'status');
region.className = 'hidden';

/** Has a screen reader say a text. */
export function announce(text: string): void {
  if (!region.isConnected) document.body.append(region);
  region.textContent = text;
}

/** Announces new chains and failures, a few seconds' worth at a time. The chains of the first seconds are old. */
export function announceChanges(store: Store): void {
  let seen = countsOf(store);
  let isFirst = true;
  announce('');
  setInterval(() => {
    const counts = countsOf(store);
    const chains = counts.chains - seen.chains;
    const failed = counts.failed - seen.failed;
    seen = counts;
    const parts = [];
    if (chains > 0) parts.push(chains === 1 ? 'A new chain' : `${chains} new chains`);
    if (failed > 0) parts.push(failed === 1 ? 'a chain has failed' : `${failed} chains have failed`);
    if (parts.length > 0 && !isFirst) announce(`${parts.join(', ')}.`);
    isFirst = false;
  }, quietMillis);
}

function countsOf({ chains }: Store): { chains: number; failed: number } {
  return { chains: chains.length, failed: chains.filter(({ status }) => status === 'failed').length };
}
