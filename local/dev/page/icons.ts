import { html } from 'htm/preact';
import type { VNode } from 'preact';

const paths: Readonly<Record<string, string>> = {
  waiting: 'M8 4.5V8l2.2 1.6',
  running: '',
  retrying: 'M11 6.5A3.4 3.4 0 1 0 11.2 9M11.2 4.2v2.5H8.7',
  succeeded: 'M5 8.2 7.1 10.3 11 6',
  failed: 'M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6',
  duplicate: 'M5 8h6',
};

/** The icon of a status. Its name is beside it, or in a label. */
export function StatusIcon({ status }: { status: string }): VNode {
  return html`<svg class=${`icon ${status}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
    <circle cx="8" cy="8" r="6.75" />
    ${status === 'running' ? html`<path class="arc" d="M8 1.25A6.75 6.75 0 0 1 14.75 8" />` : null}
    ${status === 'running' ? html`<circle class="dot" cx="8" cy="8" r="2.5" />` : html`<path d=${paths[status]} />`}
  </svg>`;
}

/** A status as text, with its icon. */
export function Status({ status }: { status: string }): VNode {
  return html`<span class=${`status ${status}`}><${StatusIcon} status=${status} />${status}</span>`;
}

/** The triangle of something that unfolds. */
export function Chevron(): VNode {
  return html`<svg class="chevron" viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
    <path d="M3 1.5 7 5 3 8.5" />
  </svg>`;
}

/** The mark of the page: a chain of three tasks. */
export function Mark(): VNode {
  return html`<svg class="mark" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
    <path d="M5 6h8a4 4 0 0 1 0 12H8" />
    <circle cx="5" cy="6" r="2.6" />
    <circle cx="16.5" cy="12" r="2.6" />
    <circle cx="6.5" cy="18" r="2.6" />
  </svg>`;
}
