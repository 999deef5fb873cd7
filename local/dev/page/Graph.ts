import { html } from 'htm/preact';
import type { VNode } from 'preact';
import type { DevTask, QueueDepth } from '../protocol.ts';
import { lastPart, visible } from './format.ts';
import { type GraphNode, graphOf } from './graphOf.ts';
import { useMedia } from './hooks.ts';
import { chainsHash, sendHash } from './route.ts';
import type { Store } from './store.ts';

const [width, height, gapX, gapY] = [232, 148, 88, 28];

/** The tasks with their topics and queues, and which of them send to which. */
export function Graph({ store }: { store: Store }): VNode {
  const { tasks, chains, depths } = store;
  const isNarrow = useMedia('(max-width: 700px)');
  const { nodes, edges } = graphOf(
    tasks.map(({ name }) => name),
    chains,
  );
  const places = new Map(nodes.map((node) => [node.taskName, node]));
  const [columns, rows] = [1 + most(nodes, 'column'), 1 + most(nodes, 'row')];
  const size = { width: columns * (width + gapX) - gapX, height: rows * (height + gapY) };
  return html`<section class="view">
    <div class="bar">
      <h1 tabindex="-1">Tasks</h1>
      <span class="dim">Each task has a topic and a queue. The lines are messages of the chains so far.</span>
    </div>
    ${nodes.length === 0 ? html`<p class="empty">The worker has no task so far.</p>` : null}
    <div class="scroll" tabindex="0" role="region" aria-label="Graph of the tasks">
      <div class="graph" style=${isNarrow ? {} : { width: `${size.width}px`, height: `${size.height}px` }}>
        ${
          isNarrow
            ? null
            : html`<svg class="edges" width=${size.width} height=${size.height} aria-hidden="true">
                <defs>
                  <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
                    <path d="M0 0 8 4 0 8z" />
                  </marker>
                </defs>
                ${edges.map(({ from, to }) => html`<path d=${edgePath(places.get(from), places.get(to))} marker-end="url(#arrow)" />`)}
              </svg>`
        }
        <ul>
          ${nodes.map(
            ({ taskName, column, row }) => html`<li
              key=${taskName}
              class="node"
              style=${isNarrow ? {} : { left: `${column * (width + gapX)}px`, top: `${row * (height + gapY)}px`, width: `${width}px`, height: `${height}px` }}
            >
              <${Card}
                taskName=${taskName}
                task=${tasks.find(({ name }) => name === taskName)}
                depth=${Object.hasOwn(depths, taskName) ? depths[taskName] : undefined}
                targets=${edges.filter(({ from }) => from === taskName)}
                canSend=${store.run?.endpoint !== undefined}
              />
            </li>`,
          )}
        </ul>
      </div>
    </div>
  </section>`;
}

function Card({
  taskName,
  task,
  depth,
  targets,
  canSend,
}: {
  taskName: string;
  task: DevTask | undefined;
  depth: QueueDepth | undefined;
  targets: readonly { to: string; count: number }[];
  canSend: boolean;
}): VNode {
  return html`<article aria-label=${taskName}>
    <header>
      <h2>${visible(taskName)}</h2>
      ${canSend && task ? html`<a href=${sendHash(taskName)}>Send<span class="hidden"> ${taskName}</span></a>` : null}
      <a href=${chainsHash(taskName, '')}>Chains<span class="hidden"> of ${taskName}</span></a>
    </header>
    ${
      task
        ? html`<dl>
            <div><dt>topic</dt><dd title=${task.topicArn}>${lastPart(task.topicArn)}</dd></div>
            <div><dt>queue</dt><dd title=${task.queueUrl}>${lastPart(task.queueUrl)}</dd></div>
          </dl>`
        : html`<p class="dim">not a task of this worker</p>`
    }
    ${depth ? html`<${Depths} depth=${depth} canSend=${canSend} taskName=${taskName} />` : null}
    ${
      targets.length > 0
        ? html`<p class="targets"><span class="dim">sends to</span> ${targets.map(({ to, count }) => `${visible(to)} (${count})`).join(', ')}</p>`
        : null
    }
  </article>`;
}

function Depths({ depth, taskName }: { depth: QueueDepth; taskName: string; canSend: boolean }): VNode {
  const { waiting, inFlight, delayed, deadLetters } = depth;
  return html`<ul class="depths">
    <li><strong>${waiting}</strong> waiting</li>
    <li><strong>${inFlight}</strong> in flight</li>
    <li><strong>${delayed}</strong> delayed</li>
    ${
      deadLetters > 0
        ? html`<li><a class="error" href="#/dead-letters"><strong>${deadLetters}</strong> dead<span class="hidden"> letters of ${taskName}</span></a></li>`
        : html`<li><strong>0</strong> dead</li>`
    }
  </ul>`;
}

/** A curve from the right of a card to the left of another; back to an earlier column, it goes below. */
function edgePath(from: GraphNode | undefined, to: GraphNode | undefined): string {
  if (!from || !to) return '';
  const [x1, y1] = [from.column * (width + gapX) + width, from.row * (height + gapY) + height / 2];
  const [x2, y2] = [to.column * (width + gapX), to.row * (height + gapY) + height / 2];
  if (to.column > from.column) {
    const bend = Math.max(gapX / 2, (x2 - x1) / 2);
    return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - 2} ${y2}`;
  }
  const below = Math.max(y1, y2) + height / 2 + gapY * 0.7;
  return `M${x1} ${y1}C${x1 + gapX} ${below} ${x2 - gapX} ${below} ${x2 - 2} ${y2}`;
}

function most(nodes: readonly GraphNode[], axis: 'column' | 'row'): number {
  return nodes.reduce((most, node) => Math.max(most, node[axis]), 0);
}
