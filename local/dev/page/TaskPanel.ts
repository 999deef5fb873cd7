import { html } from 'htm/preact';
import type { VNode } from 'preact';
import type { ChainError } from '../../../core/chains/ChainEvent.ts';
import type { AttemptState, ChainState, TaskState } from '../../../core/chains/ChainState.ts';
import type { LogEntry, ObjectEntry, TaskDetail } from '../protocol.ts';
import { callServer } from './api.ts';
import { retryText } from './ChainList.ts';
import { formatDuration, formatTime, lastPart, visible } from './format.ts';
import { useLoaded } from './hooks.ts';
import { Status } from './icons.ts';
import { chainHash } from './route.ts';
import type { Store } from './store.ts';
import { CopyButton, ValueTree, WireText } from './ValueTree.ts';

/** A task: its payload, its logs, its attempts and its errors. */
export function TaskPanel({
  state,
  task,
  now,
}: {
  store: Store;
  state: ChainState;
  task: TaskState;
  now: number;
}): VNode {
  const { messageId, status, since, attempts, pointer, error } = task;
  const { value: detail, error: loadError } = useLoaded<TaskDetail>(
    () => callServer(`tasks/${encodeURIComponent(messageId)}`),
    // The stream has no lines of logs.
    [messageId, status, since, attempts.length, status === 'running' && Math.floor(now / 1000)],
  );
  const name = visible(task.taskName ?? 'unknown task');
  return html`<section class="panel" aria-label=${`Task ${name}`}>
    <header>
      <h2>${name}</h2>
      <${Status} status=${status} />
      ${status === 'retrying' ? html`<span class="retry">${retryText(task, now)}</span>` : null}
      <a class="close" href=${chainHash(state.chainId)} aria-label="Close the task">✕</a>
    </header>
    ${error ? html`<${ErrorBox} error=${error} />` : null}
    <${TaskFacts} task=${task} />
    ${loadError ? html`<p class="note error">${visible(loadError.message)}</p>` : null}
    <div class="columns">
      <${Payload} detail=${detail} />
      <${Logs} logs=${detail?.logs ?? []} />
    </div>
    ${pointer === undefined ? null : html`<${Result} pointer=${pointer} />`}
    <${Attempts} attempts=${attempts} />
    <${Attributes} attributes=${detail?.message?.attributes ?? {}} />
  </section>`;
}

function TaskFacts({ task }: { task: TaskState }): VNode {
  const { messageId, role, group, callback, sentAt, attempts } = task;
  const last = attempts.at(-1);
  const facts: [string, string | undefined][] = [
    ['Message', messageId],
    ['Callback', callback],
    ['Role', group?.index === undefined ? role : `branch ${group.index} of group ${group.id}`],
    ['Sent', sentAt === undefined ? undefined : formatTime(sentAt)],
    ['Queue', last && lastPart(last.receiver)],
  ];
  return html`<dl class="facts">
    ${facts.map(([name, value]) =>
      value === undefined ? null : html`<div><dt>${name}</dt><dd>${visible(value)}</dd></div>`,
    )}
  </dl>`;
}

/** An error with its causes. */
export function ErrorBox({ error }: { error: ChainError }): VNode {
  const causes: ChainError[] = [];
  for (let cause = error.cause; cause; cause = cause.cause) causes.push(cause);
  return html`<div class="error-box">
    <p class="message"><strong>${visible(error.name)}</strong>${error.code ? html` <code>${visible(error.code)}</code>` : null}</p>
    <p class="message">${visible(error.message)}</p>
    ${causes.map(
      (cause) =>
        html`<p class="message cause"><span class="dim">caused by</span> <strong>${visible(cause.name)}</strong>: ${visible(cause.message)}</p>`,
    )}
    ${
      error.stack
        ? html`<details>
            <summary>Stack</summary>
            <pre tabindex="0" class="stack">${visible(
              [error, ...causes]
                .map(({ stack }) => stack ?? '')
                .filter(Boolean)
                .join('\n\n'),
            )}</pre>
          </details>`
        : null
    }
  </div>`;
}

function Payload({ detail }: { detail: TaskDetail | undefined }): VNode {
  const message = detail?.message;
  return html`<section class="block">
    <div class="block-head"><h3>Payload</h3>${message ? html`<${CopyButton} text=${message.text} />` : null}</div>
    ${
      message
        ? html`<${WireText} text=${message.text} length=${message.length} />`
        : html`<p class="dim">${detail ? 'No worker has received the message so far.' : 'Loading…'}</p>`
    }
  </section>`;
}

/** The stored result, which is small as a rule, and so it is loaded at once. */
function Result({ pointer }: { pointer: string }): VNode {
  const { value, error } = useLoaded<ObjectEntry>(
    () => callServer(`objects?${new URLSearchParams({ pointer })}`),
    [pointer],
  );
  return html`<section class="block">
    <div class="block-head"><h3>Result</h3>${value ? html`<${CopyButton} text=${value.text} />` : null}</div>
    <p class="dim pointer-text">${visible(pointer)}</p>
    ${value ? html`<${WireText} text=${value.text} length=${value.length} />` : null}
    ${error ? html`<p class="note error">${visible(error.message)}</p>` : null}
  </section>`;
}

function Logs({ logs }: { logs: readonly LogEntry[] }): VNode {
  return html`<section class="block">
    <div class="block-head"><h3>Logs</h3></div>
    ${
      logs.length === 0
        ? html`<p class="dim">No lines.</p>`
        : html`<ol class="logs">
            ${logs.map(
              ({
                at,
                level,
                message,
                fields,
              }) => html`<li class=${`level-${/error|critical|fatal/i.test(level) ? 'error' : /warn/i.test(level) ? 'warn' : 'info'}`}>
                <time>${formatTime(at)}</time> <span class="level">${visible(level)}</span>
                <span class="line">${visible(message)}</span>
                ${Object.keys(fields).length > 0 ? html`<${ValueTree} name="fields" value=${fields} />` : null}
              </li>`,
            )}
          </ol>`
    }
  </section>`;
}

const columns: readonly [string, (attempt: AttemptState) => number | undefined][] = [
  ['Queue', ({ queueMillis }) => queueMillis],
  ['Run', ({ runMillis }) => runMillis],
  ['Store', ({ storeMillis }) => storeMillis],
  ['Publish', ({ publishMillis }) => publishMillis],
  ['Backoff', ({ retry }) => retry && retry.delaySeconds * 1000],
];

function Attempts({ attempts }: { attempts: readonly AttemptState[] }): VNode | null {
  if (attempts.length === 0) return null;
  return html`<section class="block">
    <div class="block-head"><h3>Attempts</h3></div>
    <div class="scroll-x" tabindex="0" role="region" aria-label="Attempts">
      <table>
        <thead>
          <tr><th>#</th><th>Outcome</th>${columns.map(([name]) => html`<th class="num">${name}</th>`)}</tr>
        </thead>
        <tbody>
          ${attempts.map((attempt) => {
            const { attempt: number, outcome, deadLetter, error } = attempt;
            return html`<tr>
              <td>${number}</td>
              <td class="outcome">
                <${Status} status=${outcome === 'lost' ? 'duplicate' : outcome} />
                ${outcome === 'lost' ? html`<span class="dim">lost</span>` : null}
                ${error ? html`<span class="dim">${visible(error.name)}</span>` : null}
                ${deadLetter ? html`<span class="role">dead letter</span>` : null}
              </td>
              ${columns.map(([, millis]) => {
                const value = millis(attempt);
                return html`<td class="num">${value === undefined ? '–' : formatDuration(value)}</td>`;
              })}
            </tr>`;
          })}
        </tbody>
      </table>
    </div>
  </section>`;
}

function Attributes({ attributes }: { attributes: Readonly<Record<string, string>> }): VNode | null {
  const entries = Object.entries(attributes);
  if (entries.length === 0) return null;
  return html`<section class="block">
    <div class="block-head"><h3>Message attributes</h3></div>
    <dl class="facts">
      ${entries.map(([name, value]) => html`<div><dt>${visible(name)}</dt><dd>${visible(value)}</dd></div>`)}
    </dl>
  </section>`;
}
