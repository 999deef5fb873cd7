import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { raw } from '../../../core/ajson/raw.ts';
import type { ObjectEntry } from '../protocol.ts';
import { callServer } from './api.ts';
import { count, indentJson, visible } from './format.ts';
import { Chevron } from './icons.ts';
import { type ShownValue, tagOf } from './tagOf.ts';

/** How many members are shown at first, and with each click on "more". */
const membersShown = 100;
/** How many characters of a text are shown at first. */
const textShown = 600;
/** How many characters of a text that is not JSON are shown at most. */
const rawShown = 100_000;

/** Wire text as a tree. A text that was cut, or that is not JSON, is shown as it is. */
export function WireText({ text, length = text.length }: { text: string; length?: number }): VNode {
  return useMemo(() => {
    if (length > text.length) {
      return html`<p class="note">Only the first ${count(text.length, 'character')} of ${length.toLocaleString('en')} are kept.</p>
        <${RawText} text=${text} />`;
    }
    try {
      return html`<div class="tree"><${Node} name=${undefined} value=${unwrapStored(raw(text))} depth=${0} /></div>`;
    } catch (error) {
      return html`<div><p class="note">This is not JSON: ${visible((error as Error).message)}</p><${RawText} text=${text} /></div>`;
    }
  }, [text, length]);
}

/** A parsed value as a tree, closed at first. */
export function ValueTree({ name, value }: { name: string; value: unknown }): VNode {
  return html`<div class="tree"><${Node} name=${name} value=${value} depth=${9} /></div>`;
}

/** The value in the body of a stored object. */
function unwrapStored(value: unknown): unknown {
  const { data_string, full_unpack } = Object(value) as Record<string, unknown>;
  return full_unpack === undefined || data_string === undefined ? value : data_string;
}

function RawText({ text }: { text: string }): VNode {
  return html`<pre tabindex="0" class="raw">${visible(text.slice(0, rawShown))}</pre>`;
}

interface NodeProps {
  name: string | undefined;
  value: unknown;
  depth: number;
}

function Node({ name, value, depth }: NodeProps): VNode {
  const shown = useMemo(() => tagOf(value), [value]);
  const { members, pointer } = shown;
  const [isOpen, setOpen] = useState(depth < 3 && (members?.length ?? 0) <= 40);
  const [limit, setLimit] = useState(membersShown);
  const key = name === undefined ? null : html`<span class="key">${visible(name)}</span>`;
  if (pointer !== undefined)
    return html`<div class="leaf">${key}<${Pointer} shown=${shown} pointer=${pointer} depth=${depth} /></div>`;
  if (!members) return html`<div class="leaf">${key}<${Leaf} shown=${shown} /></div>`;
  return html`<div class="branch">
    <button type="button" class="toggle" aria-expanded=${isOpen ? 'true' : 'false'} onClick=${() => setOpen(!isOpen)}>
      <${Chevron} />${key}<${Summary} shown=${shown} size=${members.length} />
    </button>
    ${
      isOpen
        ? html`<ul>
            ${members.slice(0, limit).map(
              ([key, member], index) => html`<li key=${index}>
                <${Node} name=${key ?? String(index)} value=${member} depth=${depth + 1} />
              </li>`,
            )}
            ${
              members.length > limit
                ? html`<li>
                    <button type="button" class="small" onClick=${() => setLimit(limit + membersShown)}>
                      Show more of the ${members.length - limit} others
                    </button>
                  </li>`
                : null
            }
          </ul>`
        : null
    }
  </div>`;
}

/** The kind of a value with members, and their number. */
function Summary({ shown: { kind, label, module }, size }: { shown: ShownValue; size: number }): VNode {
  const name = label === undefined ? null : html`<span class="tag">${visible(label)}</span>`;
  const from = module === undefined ? null : html`<span class="dim">${visible(module)}</span>`;
  const brackets = kind === 'list' ? `[${size}]` : `{${size}}`;
  return html`<span class="summary">${name}${from}<span class="dim">${brackets}</span></span>`;
}

function Leaf({ shown: { kind, label, text = '' } }: { shown: ShownValue }): VNode {
  const [isWhole, setWhole] = useState(false);
  const cut = !isWhole && text.length > textShown;
  return html`<span class="value">
    <span class=${`v-${kind}`}>${visible(cut ? text.slice(0, textShown) : text)}</span>
    ${label ? html` <span class="tag">${label}</span>` : null}
    ${
      cut
        ? html`… <button type="button" class="small" onClick=${() => setWhole(true)}>
              Show all ${count(text.length, 'character')}
            </button>`
        : null
    }
  </span>`;
}

/** A pointer, and the object that it leads to once it is asked for. */
function Pointer({ shown, pointer, depth }: { shown: ShownValue; pointer: string; depth: number }): VNode {
  const [loaded, setLoaded] = useState<{ object?: ObjectEntry; error?: Error; isLoading?: boolean }>({});
  const { object, error, isLoading } = loaded;
  const load = () => {
    setLoaded({ isLoading: true });
    callServer<ObjectEntry>(`objects?${new URLSearchParams({ pointer })}`).then(
      (object) => setLoaded({ object }),
      (error: Error) => setLoaded({ error }),
    );
  };
  // The arguments of a callback are one pointer as a rule.
  useEffect(() => {
    if (depth < 2) load();
  }, [pointer]);
  return html`<div class="pointer">
    <span class="value"><span class="v-pointer">${visible(shown.text ?? '')}</span> <span class="tag">StoredData</span></span>
    ${
      object
        ? html`<div class="resolved"><${WireText} text=${object.text} length=${object.length} /></div>`
        : html`<button type="button" class="small" disabled=${isLoading} onClick=${load}>Load the object</button>`
    }
    ${error ? html`<p class="note error" role="alert">${visible(error.message)}</p>` : null}
  </div>`;
}

/** A button that copies wire text, indented. */
export function CopyButton({ text }: { text: string }): VNode {
  const [isCopied, setCopied] = useState(false);
  return html`<button
    type="button"
    class="small"
    onClick=${() => {
      void navigator.clipboard.writeText(indentJson(text)).then(() => setCopied(true));
    }}
  >
    ${isCopied ? 'Copied' : 'Copy'}
  </button>`;
}
