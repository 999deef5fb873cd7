import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { SendRequest } from '../protocol.ts';
import { announce } from './announce.ts';
import { callServer } from './api.ts';
import { visible } from './format.ts';
import { replaceHash } from './hooks.ts';
import { JsonArea, jsonProblem } from './JsonArea.ts';
import { chainHash, sendHash } from './route.ts';
import { fieldJson, type SchemaField, schemaFields } from './schemaFields.ts';
import type { Store } from './store.ts';

/** A form that sends a task. */
export function SendForm({ store, taskName }: { store: Store; taskName: string | undefined }): VNode {
  const { tasks } = store;
  const task = tasks.find(({ name }) => name === taskName) ?? tasks[0];
  if (!task) {
    return html`<section class="view">
      <div class="bar"><h1 tabindex="-1">Send a task</h1></div>
      <p class="empty">The worker has no task so far.</p>
    </section>`;
  }
  return html`<section class="view">
    <div class="bar"><h1 tabindex="-1">Send a task</h1></div>
    <div class="scroll">
      <div class="form">
        <div class="field">
          <label for="send-task">Task</label>
          <select
            id="send-task"
            value=${task.name}
            onChange=${({ currentTarget }: { currentTarget: HTMLSelectElement }) =>
              replaceHash(sendHash(currentTarget.value))}
          >
            ${tasks.map(({ name }) => html`<option value=${name}>${name}</option>`)}
          </select>
        </div>
        <${Arguments} key=${task.name} taskName=${task.name} schema=${task.schema} others=${tasks.map(({ name }) => name)} />
      </div>
    </div>
  </section>`;
}

interface Sent {
  chainId: string;
  messageId: string;
}

function Arguments({
  taskName,
  schema,
  others,
}: {
  taskName: string;
  schema: unknown;
  others: readonly string[];
}): VNode {
  const fields = useMemo(() => schemaFields(schema), [schema]);
  const [values, setValues] = useState<Readonly<Record<string, string>>>(() =>
    Object.fromEntries((fields ?? []).map(({ name, initial }) => [name, initial])),
  );
  const [json, setJson] = useState<string | undefined>(fields ? undefined : '{\n  \n}');
  const [callback, setCallback] = useState('');
  const [delay, setDelay] = useState('');
  const [outcome, setOutcome] = useState<{ sent?: Sent; error?: string; isSending?: boolean }>({});

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    try {
      const kwargs = json ?? kwargsOf(fields ?? [], values);
      const problem = jsonProblem(kwargs);
      if (problem) throw new Error(problem);
      const last = callback.trim() === '' ? '' : `, "callback": ${JSON.stringify(callback.trim())}`;
      const text = `{"task_name": ${JSON.stringify(taskName)}, "task_kwargs": ${kwargs}${last}}`;
      const delaySeconds = Number(delay);
      const body: SendRequest = { text, ...(delay.trim() !== '' && { delaySeconds }) };
      setOutcome({ isSending: true });
      setOutcome({ sent: await callServer<Sent>('send', body) });
      announce(`${taskName} was sent.`);
    } catch (error) {
      setOutcome({ error: (error as Error).message });
    }
  }

  return html`<form onSubmit=${submit}>
    ${
      fields
        ? html`<div class="filters" role="group" aria-label="How to write the arguments">
            <button type="button" class="chip" aria-pressed=${json === undefined ? 'true' : 'false'} onClick=${() => setJson(undefined)}>Fields</button>
            <button
              type="button"
              class="chip"
              aria-pressed=${json === undefined ? 'false' : 'true'}
              onClick=${() => setJson(json ?? draftOf(fields, values))}
            >
              JSON
            </button>
          </div>`
        : null
    }
    ${
      json === undefined
        ? (fields ?? []).map(
            (field) => html`<${Field}
              field=${field}
              value=${values[field.name] ?? ''}
              onInput=${(value: string) => setValues((before) => ({ ...before, [field.name]: value }))}
            />`,
          )
        : html`<${JsonArea} label="Arguments (task_kwargs)" value=${json} onInput=${setJson} />`
    }
    <div class="field">
      <label for="send-callback">Callback <span class="dim">a task, or a chain such as ${others.slice(0, 2).join('#')}</span></label>
      <input id="send-callback" value=${callback} autocomplete="off" spellcheck=${false} onInput=${valueTo(setCallback)} />
    </div>
    <div class="field short">
      <label for="send-delay">Delay <span class="dim">seconds, 0 to 900</span></label>
      <input id="send-delay" type="number" min="0" max="900" value=${delay} onInput=${valueTo(setDelay)} />
    </div>
    <div class="actions">
      <button type="submit" class="primary" disabled=${outcome.isSending}>Send ${visible(taskName)}</button>
      ${
        outcome.sent
          ? html`<span class="sent">Sent: <a href=${chainHash(outcome.sent.chainId)}>chain ${outcome.sent.chainId}</a></span>`
          : null
      }
    </div>
    ${outcome.error ? html`<p class="note error" role="alert">${visible(outcome.error)}</p>` : null}
  </form>`;
}

function valueTo(set: (value: string) => void) {
  return ({ currentTarget }: { currentTarget: HTMLInputElement | HTMLSelectElement }) =>
    set(currentTarget.value);
}

function kwargsOf(fields: readonly SchemaField[], values: Readonly<Record<string, string>>): string {
  const members = fields.flatMap((field) => {
    const json = fieldJson(field, values[field.name] ?? '');
    return json === undefined ? [] : [`${JSON.stringify(field.name)}: ${json}`];
  });
  return `{${members.join(', ')}}`;
}

/** The fields so far as JSON to go on with, without those that are wrong. */
function draftOf(fields: readonly SchemaField[], values: Readonly<Record<string, string>>): string {
  const members = fields.flatMap((field) => {
    try {
      const json = fieldJson(field, values[field.name] ?? '');
      return json === undefined || jsonProblem(json) ? [] : [`  ${JSON.stringify(field.name)}: ${json}`];
    } catch {
      return [];
    }
  });
  return `{\n${members.join(',\n')}\n}`;
}

function Field({
  field,
  value,
  onInput,
}: {
  field: SchemaField;
  value: string;
  onInput(value: string): void;
}): VNode {
  const { name, kind, isRequired, description, choices } = field;
  const id = `field-${name}`;
  if (kind === 'json') {
    const label = `${name} (JSON)${isRequired ? '' : ', optional'}`;
    return html`<${JsonArea} label=${label} value=${value} rows=${4} isOptional=${!isRequired} onInput=${onInput} />`;
  }
  const hint = [kind === 'choice' ? '' : kind, isRequired ? '' : 'optional'].filter(Boolean).join(', ');
  const options = kind === 'boolean' ? ['true', 'false'] : choices;
  return html`<div class="field">
    <label for=${id}>${name} <span class="dim">${hint}</span></label>
    ${
      options.length > 0
        ? html`<select id=${id} value=${value} required=${isRequired} onChange=${valueTo(onInput)}>
            <option value="">–</option>
            ${options.map((option) => html`<option value=${option}>${option}</option>`)}
          </select>`
        : html`<input
            id=${id}
            value=${value}
            required=${isRequired && kind !== 'text'}
            inputmode=${kind === 'text' ? 'text' : 'decimal'}
            autocomplete="off"
            onInput=${valueTo(onInput)}
          />`
    }
    ${description ? html`<p class="note">${description}</p>` : null}
  </div>`;
}
