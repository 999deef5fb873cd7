import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { useId } from 'preact/hooks';
import { raw } from '../../../core/ajson/raw.ts';
import { visible } from './format.ts';

/** Why a text is not wire text; undefined if it is. */
export function jsonProblem(text: string): string | undefined {
  try {
    raw(text);
    return undefined;
  } catch (error) {
    return visible((error as Error).message);
  }
}

/** A text area for JSON, with what is wrong with it. */
export function JsonArea({
  label,
  value,
  rows = 10,
  isOptional = false,
  onInput,
}: {
  label: string;
  value: string;
  rows?: number;
  isOptional?: boolean;
  onInput(value: string): void;
}): VNode {
  const id = useId();
  const problem = isOptional && value.trim() === '' ? undefined : jsonProblem(value);
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <textarea
      id=${id}
      rows=${rows}
      spellcheck=${false}
      autocapitalize="off"
      autocomplete="off"
      aria-invalid=${problem ? 'true' : 'false'}
      aria-describedby=${`${id}-problem`}
      value=${value}
      onInput=${({ currentTarget }: { currentTarget: HTMLTextAreaElement }) => onInput(currentTarget.value)}
    ></textarea>
    <p class="note error" id=${`${id}-problem`}>${problem}</p>
  </div>`;
}
