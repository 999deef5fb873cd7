import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { DeadLetter, RedriveAnswer, RedriveRequest } from '../protocol.ts';
import { announce } from './announce.ts';
import { callServer } from './api.ts';
import { count, formatAge, indentJson, visible } from './format.ts';
import { useLoaded, useNow } from './hooks.ts';
import { JsonArea, jsonProblem } from './JsonArea.ts';
import { chainHash } from './route.ts';
import type { Store } from './store.ts';
import { WireText } from './ValueTree.ts';

/** How many failures of a redrive are listed. */
const shownFailures = 10;

/** The messages in dead-letter queues, by task. */
export function DeadLetters({ store }: { store: Store }): VNode {
  const [redrives, setRedrives] = useState(0);
  const [failure, setFailure] = useState<string>();
  const now = useNow(5000);
  const depths = Object.entries(store.depths).map(([name, { deadLetters }]) => `${name} ${deadLetters}`);
  const { value, error } = useLoaded<{ letters: DeadLetter[] }>(
    () => callServer('dead-letters'),
    [depths.join('\n'), redrives],
  );
  const byTask = Map.groupBy(value?.letters ?? [], ({ taskName }) => taskName);

  async function redrive(request: RedriveRequest): Promise<void> {
    setFailure(undefined);
    try {
      const answer = await callServer<RedriveAnswer>('redrive', request);
      const failures = failuresOf(answer, request.taskName);
      setFailure(failures);
      if (failures === undefined)
        announce(`${count(answer.sent, 'message')} sent back to ${request.taskName}.`);
    } catch (error) {
      setFailure((error as Error).message);
    }
    setRedrives((redrives) => redrives + 1);
    document.querySelector('h1')?.focus();
  }

  return html`<section class="view">
    <div class="bar">
      <h1 tabindex="-1">Dead letters</h1>
      ${value ? html`<span class="dim">${count(value.letters.length, 'message')}</span>` : null}
    </div>
    <div class="scroll">
      ${failure ? html`<p class="note error" role="alert">${visible(failure)}</p>` : null}
      ${error ? html`<p class="note error" role="alert">${visible(error.message)}</p>` : null}
      ${value?.letters.length === 0 ? html`<p class="empty">The dead-letter queues are empty.</p>` : null}
      ${[...byTask].map(
        ([
          taskName,
          letters,
        ]) => html`<section class="letters" key=${taskName} aria-label=${`Dead letters of ${taskName}`}>
          <div class="block-head">
            <h2>${visible(taskName)}</h2>
            <span class="dim">${letters.length}</span>
            <button type="button" onClick=${() => redrive({ taskName })}>Redrive all ${letters.length}</button>
          </div>
          <ul>
            ${letters.map((letter) => html`<${Letter} key=${letter.id} letter=${letter} now=${now} redrive=${redrive} />`)}
          </ul>
        </section>`,
      )}
    </div>
  </section>`;
}

/** How many messages were sent, and why the others were not. Undefined when all were. */
function failuresOf({ sent, messages }: RedriveAnswer, taskName: string): string | undefined {
  const failed = messages.filter(({ outcome }) => outcome === 'failed');
  if (failed.length === 0) return undefined;
  const shown = failed.slice(0, shownFailures).map(({ messageId, error }) => `${messageId}: ${error}`);
  const more = failed.length > shownFailures ? `\nand ${failed.length - shownFailures} more.` : '';
  return `${sent} of ${count(messages.length, 'message')} sent back to ${taskName}.\n${shown.join('\n')}${more}`;
}

function Letter({
  letter,
  now,
  redrive,
}: {
  letter: DeadLetter;
  now: number;
  redrive(request: RedriveRequest): Promise<void>;
}): VNode {
  const { id, taskName, chainId, messageId, sentAt, receiveCount, reason, text } = letter;
  const [edited, setEdited] = useState<string>();
  const isWrong = edited !== undefined && jsonProblem(edited) !== undefined;
  return html`<li class="letter">
    <div class="letter-head">
      <a href=${chainHash(chainId, messageId)}><code>${visible(chainId)}</code></a>
      <span class="dim">${formatAge(now - sentAt)}, received ${count(receiveCount, 'time')}</span>
      <span class="actions">
        ${
          edited === undefined
            ? html`<button type="button" onClick=${() => setEdited(indentJson(text))}>Edit</button>
                <button type="button" onClick=${() => redrive({ taskName, ids: [id] })}>Redrive</button>`
            : html`<button type="button" onClick=${() => setEdited(undefined)}>Cancel</button>
                <button
                  type="button"
                  class="primary"
                  disabled=${isWrong}
                  onClick=${() => redrive({ taskName, ids: [id], text: edited })}
                >
                  Redrive edited
                </button>`
        }
      </span>
    </div>
    ${reason ? html`<p class="reason error">${visible(reason)}</p>` : null}
    ${
      edited === undefined
        ? html`<${WireText} text=${text} />`
        : html`<${JsonArea} label="Task" value=${edited} rows=${Math.min(24, edited.split('\n').length + 1)} onInput=${setEdited} />`
    }
  </li>`;
}
