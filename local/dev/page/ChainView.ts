import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { ChainState } from '../../../core/chains/ChainState.ts';
import { count, formatDuration, formatTime, visible } from './format.ts';
import { useMedia, useNow } from './hooks.ts';
import { Status } from './icons.ts';
import { chainHash } from './route.ts';
import type { Store } from './store.ts';
import { TaskPanel } from './TaskPanel.ts';
import { Waterfall } from './Waterfall.ts';

/** A chain: its waterfall, and one of its tasks. */
export function ChainView({
  store,
  chainId,
  messageId,
}: {
  store: Store;
  chainId: string;
  messageId: string | undefined;
}): VNode {
  const chain = store.chain(chainId);
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const isNarrow = useMedia('(max-width: 700px)');
  const now = useNow(chain?.state.status === 'open' ? 200 : undefined);
  if (!chain) {
    return html`<section class="view">
      <div class="bar"><h1 tabindex="-1">Chain</h1></div>
      <p class="empty">There is no chain <code>${visible(chainId)}</code> in this run.</p>
    </section>`;
  }
  const { state, status } = chain;
  const task = state.tasks.find((task) => task.messageId === messageId);
  return html`<section class="view chain">
    <div class="bar">
      <nav aria-label="Breadcrumb" class="crumbs"><a href="#/chains">Chains</a></nav>
      <h1 tabindex="-1">${visible(state.tasks[0]?.taskName ?? 'Chain')}</h1>
      <${Status} status=${status} />
      <code class="id">${chainId}</code>
      <${ChainFacts} state=${state} now=${now} />
    </div>
    <${FailedTasks} state=${state} messageId=${messageId} />
    <div class=${task ? 'split open' : 'split'}>
      <${Waterfall}
        state=${state}
        now=${now}
        selected=${task?.messageId}
        isNarrow=${isNarrow}
        toggled=${toggled}
        onToggle=${(id: string) => setToggled((before) => withToggled(before, id))}
        onOpen=${(id: string) => {
          location.hash = chainHash(chainId, id);
        }}
      />
      ${task ? html`<${TaskPanel} key=${task.messageId} store=${store} state=${state} task=${task} now=${now} />` : null}
    </div>
  </section>`;
}

function ChainFacts({ state, now }: { state: ChainState; now: number }): VNode {
  const { startedAt, endedAt, tasks } = state;
  return html`<dl class="facts chain-facts">
    <div><dt>Started</dt><dd>${formatTime(startedAt)}</dd></div>
    <div><dt>${endedAt === undefined ? 'Running for' : 'Took'}</dt><dd>${formatDuration((endedAt ?? now) - startedAt)}</dd></div>
    <div><dt class="hidden">Tasks</dt><dd>${count(tasks.length, 'task')}</dd></div>
  </dl>`;
}

/** The first errors, above the waterfall. That of the task that is open is in its panel. */
function FailedTasks({
  state,
  messageId,
}: {
  state: ChainState;
  messageId: string | undefined;
}): VNode | null {
  const failed = state.tasks.filter(
    (task) => task.status === 'failed' && task.error && task.messageId !== messageId,
  );
  if (failed.length === 0) return null;
  return html`<ul class="failures" aria-label="Failed tasks">
    ${failed.slice(0, 3).map(
      (task) => html`<li>
        <a class="failure" href=${chainHash(state.chainId, task.messageId)}>
          <strong>${visible(task.taskName ?? task.messageId)}</strong>
          <span>${visible(`${task.error?.name}: ${task.error?.message}`.split('\n')[0] ?? '')}</span>
        </a>
      </li>`,
    )}
    ${failed.length > 3 ? html`<li class="dim">and ${failed.length - 3} more</li>` : null}
  </ul>`;
}

function withToggled(before: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const after = new Set(before);
  if (!after.delete(id)) after.add(id);
  return after;
}
