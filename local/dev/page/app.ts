import { html, render } from 'htm/preact';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { announceChanges } from './announce.ts';
import { ChainList } from './ChainList.ts';
import { ChainView } from './ChainView.ts';
import { connect } from './connect.ts';
import { DeadLetters } from './DeadLetters.ts';
import { lastPart, visible } from './format.ts';
import { Graph } from './Graph.ts';
import { useChanges, useHash } from './hooks.ts';
import { Mark } from './icons.ts';
import { type Route, routeOf } from './route.ts';
import { SendForm } from './SendForm.ts';
import { type Connection, createStore, type Store } from './store.ts';

const titles: Readonly<Record<Route['view'], string>> = {
  chains: 'Chains',
  chain: 'Chain',
  tasks: 'Tasks',
  deadLetters: 'Dead letters',
  send: 'Send a task',
};

function App({ store }: { store: Store }): VNode {
  useChanges(store);
  const route = routeOf(useHash());
  useViewFocus(route);
  const deadLetters = Object.values(store.depths).reduce((sum, depth) => sum + depth.deadLetters, 0);
  // A file has no endpoint, and nothing to send to.
  const canSend = store.run?.endpoint !== undefined;
  const links: [string, string, boolean, number?][] = [
    ['#/chains', 'Chains', route.view === 'chains' || route.view === 'chain'],
    ['#/tasks', 'Tasks', route.view === 'tasks'],
  ];
  if (canSend) {
    links.push(['#/dead-letters', 'Dead letters', route.view === 'deadLetters', deadLetters]);
    links.push(['#/send', 'Send', route.view === 'send']);
  }
  return html`<div class="app">
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <header class="top">
      <span class="brand"><${Mark} />algernon</span>
      <nav aria-label="Views">
        ${links.map(
          ([
            href,
            label,
            isCurrent,
            badge,
          ]) => html`<a class="tab" href=${href} aria-current=${isCurrent ? 'page' : undefined}>
            ${label}${badge ? html` <span class="badge">${badge}</span>` : null}
          </a>`,
        )}
      </nav>
      <${RunState} store=${store} />
    </header>
    <main id="main">
      <${Banners} store=${store} />
      <${View} store=${store} route=${route} />
    </main>
  </div>`;
}

function View({ store, route }: { store: Store; route: Route }): VNode {
  switch (route.view) {
    case 'chains':
      return html`<${ChainList} store=${store} search=${route.search} state=${route.state} />`;
    case 'chain':
      return html`<${ChainView} key=${route.chainId} store=${store} chainId=${route.chainId} messageId=${route.messageId} />`;
    case 'tasks':
      return html`<${Graph} store=${store} />`;
    case 'deadLetters':
      return html`<${DeadLetters} store=${store} />`;
    case 'send':
      return html`<${SendForm} store=${store} taskName=${route.taskName} />`;
  }
}

const connections: Readonly<Record<Connection, string>> = {
  connecting: 'Connecting',
  open: 'Live',
  lost: 'Reconnecting',
  refused: 'Disconnected',
};

function RunState({ store: { run, connection } }: { store: Store }): VNode {
  const isFile = run !== undefined && run.endpoint === undefined;
  return html`<span class="run">
    ${run?.worker ? html`<code title=${run.worker}>${visible(lastPart(run.worker))}</code>` : null}
    <span class=${`connection ${isFile ? 'file' : connection}`}>${isFile ? 'File' : connections[connection]}</span>
  </span>`;
}

function Banners({ store: { connection, reload } }: { store: Store }): VNode {
  return html`<div role="status" class="banners">
    ${connection === 'lost' ? html`<p class="banner warn">The connection to the dev server is lost. The page reconnects by itself.</p>` : null}
    ${
      connection === 'refused'
        ? html`<p class="banner warn">
            The dev server refuses the connection. If it was started again, open the address that it has printed.
          </p>`
        : null
    }
    ${
      reload?.error
        ? html`<div class="banner bad">
            <p><strong>The worker could not be loaded.</strong> Messages wait in their queues until the next change.</p>
            <pre tabindex="0">${visible(reload.error)}</pre>
          </div>`
        : null
    }
  </div>`;
}

/** Moves the focus to the heading of a new view, so that a screen reader reads on there, and sets the title. */
function useViewFocus(route: Route): void {
  const last = useRef<string | undefined>(undefined);
  const key = route.view === 'chain' ? route.chainId : route.view;
  const title = route.view === 'chain' ? `Chain ${route.chainId}` : titles[route.view];
  useEffect(() => {
    document.title = `${visible(title)} · algernon-middy`;
    if (last.current !== undefined && last.current !== key) document.querySelector('h1')?.focus();
    last.current = key;
  }, [key, title]);
}

function skip(event: Event): void {
  event.preventDefault();
  document.querySelector('h1')?.focus();
}

/** `/` leads to the search, the arrow keys lead to the rows, and Escape closes a task. */
function handleKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches('input, textarea, select')) return;
  if (event.key === '/') {
    const search = document.querySelector<HTMLInputElement>('#search');
    if (!search) location.hash = '#/chains';
    requestAnimationFrame(() => document.querySelector<HTMLInputElement>('#search')?.focus());
    event.preventDefault();
  } else if (event.key === 'Escape') {
    const close = document.querySelector<HTMLAnchorElement>('.panel .close');
    if (!close) return;
    close.click();
    document.querySelector<HTMLElement>('.rows .row[tabindex="0"]')?.focus();
  } else if (event.key === 'ArrowDown' && (target === document.body || target.matches('h1'))) {
    document.querySelector<HTMLElement>('.rows .row[tabindex="0"]')?.focus();
    event.preventDefault();
  }
}

/** Calls a function at the next frame. A page in the background has none, and must not gather events without end. */
function atNextFrame(work: () => void): void {
  let isDone = false;
  const once = () => {
    if (!isDone) work();
    isDone = true;
  };
  requestAnimationFrame(once);
  setTimeout(once, 500);
}

const store = createStore(atNextFrame);
connect(store);
announceChanges(store);
addEventListener('keydown', handleKey);
render(html`<${App} store=${store} />`, document.querySelector('#app') as HTMLElement);
