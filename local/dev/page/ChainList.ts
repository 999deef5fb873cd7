import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import type { ChainState, TaskState } from '../../../core/chains/ChainState.ts';
import { count, formatAge, formatDuration, visible } from './format.ts';
import { replaceHash, useMedia, useNow } from './hooks.ts';
import { StatusIcon } from './icons.ts';
import { Rows } from './Rows.ts';
import { chainHash, chainsHash } from './route.ts';
import type { Chain, Store } from './store.ts';

/** The filters, by the name that the address has. */
const filters = {
  '': 'All',
  open: 'Open',
  retrying: 'Retrying',
  failed: 'Failed',
  succeeded: 'Succeeded',
} as const;

interface ListRow {
  key: string;
  chain: Chain;
}

/** The list of chains, newest first. */
export function ChainList({ store, search, state }: { store: Store; search: string; state: string }): VNode {
  const now = useNow(store.chains.length > 0 ? 1000 : undefined);
  const isNarrow = useMedia('(max-width: 700px)');
  const { chains } = store;
  const found = useMemo(() => searched(chains, search), [chains, search]);
  const rows = useMemo(
    () => found.filter((chain) => isShown(chain, state)).map((chain) => ({ key: chain.chainId, chain })),
    [found, state],
  );
  const counts = useMemo(
    () => Object.keys(filters).map((name) => found.filter((chain) => isShown(chain, name)).length),
    [found],
  );
  return html`<section class="view list">
    <div class="bar">
      <h1 tabindex="-1">Chains</h1>
      <input
        type="search"
        id="search"
        aria-label="Search by chain, task or error"
        placeholder="Search by chain, task or error  ( / )"
        value=${search}
        onInput=${({ currentTarget }: { currentTarget: HTMLInputElement }) =>
          replaceHash(chainsHash(currentTarget.value, state))}
      />
      <div class="filters" role="group" aria-label="Filter by state">
        ${Object.entries(filters).map(
          ([name, label], index) => html`<button
            type="button"
            class="chip"
            aria-pressed=${state === name ? 'true' : 'false'}
            onClick=${() => replaceHash(chainsHash(search, name))}
          >
            ${label} <span class="count">${counts[index]?.toLocaleString('en')}</span>
          </button>`,
        )}
      </div>
    </div>
    ${
      rows.length > 0
        ? html`<${Rows}
            role="grid"
            label="Chains"
            columns=${['Chain', 'Tasks', 'Last step', 'Duration', 'Started']}
            rows=${rows}
            rowHeight=${isNarrow ? 64 : 40}
            cells=${({ chain }: ListRow) => cellsOf(chain, now)}
            onOpen=${({ chain }: ListRow) => {
              location.hash = chainHash(chain.chainId);
            }}
          />`
        : html`<${NoChains} store=${store} />`
    }
  </section>`;
}

function cellsOf({ chainId, state, status, errors }: Chain, now: number): (VNode | string)[] {
  const { startedAt, endedAt } = state;
  return [
    html`<span class="chain-name">
      <${StatusIcon} status=${status} />
      <span class="hidden">${status}: </span>
      <a href=${chainHash(chainId)} tabindex="-1" class="name">${nameOf(state)}</a>
      <code class="id">${chainId}</code>
    </span>`,
    progressOf(state, errors),
    lastStepOf(state, now),
    formatDuration(Math.max(0, (endedAt ?? now) - startedAt)),
    formatAge(Math.max(0, now - startedAt)),
  ];
}

/** The name of the first task. */
function nameOf({ tasks }: ChainState): string {
  return visible(tasks[0]?.taskName ?? 'unknown task');
}

function progressOf({ tasks }: ChainState, errors: number): VNode {
  const done = tasks.filter(({ status }) => status === 'succeeded').length;
  const all = tasks.filter(({ status }) => status !== 'duplicate').length;
  return html`<span class="progress">
    <svg class="meter" viewBox="0 0 40 6" width="40" height="6" preserveAspectRatio="none" aria-hidden="true">
      <rect class="all" width="40" height="6" rx="3" />
      <rect class=${errors > 0 ? 'done some-failed' : 'done'} width=${(40 * done) / Math.max(1, all)} height="6" rx="3" />
    </svg>
    <span>${done}<span class="dim"> of </span>${all}</span>
    ${errors > 0 ? html`<span class="error-count">${count(errors, 'error')}</span>` : null}
  </span>`;
}

/** The latest step, or the one that runs. */
function lastStepOf({ tasks }: ChainState, now: number): VNode | string {
  const failed = tasks.findLast(
    ({ status, error }) => error && (status === 'failed' || status === 'retrying'),
  );
  if (failed?.error) {
    const { name, message } = failed.error;
    return html`<span class="last">
      <span class="error">${visible(`${name}: ${message}`.split('\n')[0] ?? '')}</span>
      ${failed.status === 'retrying' ? html` <span class="retry">${retryText(failed, now)}</span>` : null}
    </span>`;
  }
  const last = tasks.find(({ status }) => status === 'running') ?? latestOf(tasks);
  return last ? html`<span class="last dim">${visible(last.taskName ?? '')} ${last.status}</span>` : '';
}

function latestOf(tasks: readonly TaskState[]): TaskState | undefined {
  return tasks.reduce<TaskState | undefined>(
    (latest, task) => (latest && latest.since > task.since ? latest : task),
    undefined,
  );
}

/** When the next attempt of a failed task is. */
export function retryText({ attempts }: TaskState, now: number): string {
  const dueAt = attempts.at(-1)?.retry?.dueAt;
  if (dueAt === undefined) return 'comes back after the visibility timeout';
  return dueAt > now ? `retry in ${Math.ceil((dueAt - now) / 1000)} s` : 'retry due now';
}

function searched(chains: readonly Chain[], search: string): readonly Chain[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return words.length === 0
    ? chains
    : chains.filter(({ text }) => words.every((word) => text.includes(word)));
}

function isShown({ state, status }: Chain, filter: string): boolean {
  return filter === 'open'
    ? state.status === 'open'
    : !Object.hasOwn(filters, filter) || !filter || status === filter;
}

function NoChains({ store }: { store: Store }): VNode {
  if (store.chains.length > 0) return html`<p class="empty">No chain matches.</p>`;
  return html`<div class="empty">
    <p>No chain so far.</p>
    ${
      store.run?.endpoint
        ? html`<p class="dim">
            <a href="#/send">Send a task</a> here, or with <code>npx algernon-middy send TASK '{…}'</code>.
          </p>`
        : null
    }
  </div>`;
}
