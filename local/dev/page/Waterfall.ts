import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import type { ChainState, TaskState } from '../../../core/chains/ChainState.ts';
import { retryText } from './ChainList.ts';
import { count, formatDuration, visible } from './format.ts';
import { Chevron, StatusIcon } from './icons.ts';
import { Rows } from './Rows.ts';
import { type Segment, type SegmentKind, segmentsOf, spanOf, ticksOf } from './segmentsOf.ts';
import { type WaterfallRow, waterfallRows } from './waterfallRows.ts';

const kinds: Readonly<Record<SegmentKind, string>> = {
  delay: 'delayed',
  queue: 'in queue',
  load: 'loaded',
  run: 'ran',
  failed: 'ran, failed',
  lost: 'lost',
  store: 'stored',
  publish: 'published',
  backoff: 'backoff',
};

const legend: readonly [SegmentKind, string][] = [
  ['queue', 'queue'],
  ['run', 'run'],
  ['store', 'store'],
  ['publish', 'publish'],
  ['failed', 'failed'],
  ['backoff', 'backoff'],
];

export interface WaterfallProps {
  state: ChainState;
  now: number;
  selected: string | undefined;
  isNarrow: boolean;
  toggled: ReadonlySet<string>;
  onToggle(groupId: string): void;
  onOpen(messageId: string): void;
}

/** The tasks of a chain as a tree, beside what each of them did over time. */
export function Waterfall(props: WaterfallProps): VNode {
  const { state, now, selected, isNarrow, toggled, onToggle, onOpen } = props;
  const span = spanOf(state, now);
  const rows = useMemo(
    () => waterfallRows(state, toggled).map((row) => ({ ...row, attributes: attributesOf(row) })),
    [state, toggled],
  );
  const millis = span[1] - span[0];
  const ticks = ticksOf(millis, isNarrow ? 3 : 6);
  return html`<div class="waterfall" style=${{ '--step': `${(100 * (ticks[1] ?? millis)) / millis}%` }}>
    <${Rows}
      role="treegrid"
      label="Tasks of the chain"
      columns=${['Task', html`<${Axis} millis=${millis} ticks=${ticks} />`, 'Time']}
      rows=${rows}
      rowHeight=${isNarrow ? 56 : 36}
      selected=${selected}
      cells=${(row: WaterfallRow) => cellsOf(row, span, now)}
      onOpen=${(row: WaterfallRow) => {
        if (row.kind === 'task') onOpen(row.task.messageId);
        if (row.kind === 'group') onToggle(row.group.id);
      }}
      onExpand=${(row: WaterfallRow, isExpanded: boolean) => {
        if (row.kind === 'group' && row.isExpanded !== isExpanded) onToggle(row.group.id);
      }}
    />
    <ul class="legend" aria-label="Colours of the bars">
      ${legend.map(([kind, name]) => html`<li><span class=${`swatch ${kind}`}></span>${name}</li>`)}
    </ul>
  </div>`;
}

function attributesOf(row: WaterfallRow): Record<string, unknown> {
  return {
    'aria-level': row.level,
    'data-kind': row.kind,
    ...(row.kind === 'group' && { 'aria-expanded': row.isExpanded ? 'true' : 'false' }),
  };
}

function cellsOf(row: WaterfallRow, span: [number, number], now: number): (VNode | string | null)[] {
  const indent = { paddingLeft: `${Math.min(row.level - 1, 12) * 18}px` };
  if (row.kind === 'missing') {
    return [
      html`<span class="task dim" style=${indent}><${StatusIcon} status="waiting" />${visible(row.taskName)}</span>`,
      html`<span class="dim">no message seen so far</span>`,
      null,
    ];
  }
  if (row.kind === 'group') {
    const { of, joined, failed } = row.group;
    return [
      html`<span class="task group" style=${indent}><${Chevron} />${count(of, 'branch', 'branches')}</span>`,
      html`<span class="joins">
        <svg class="meter" viewBox="0 0 100 6" width="100" height="6" aria-hidden="true">
          <rect class="all" width="100" height="6" rx="3" />
          <rect class="done" width=${(100 * joined.length) / Math.max(1, of)} height="6" rx="3" />
          <rect class="bad" width=${(100 * failed.length) / Math.max(1, of)} height="6" rx="3" />
        </svg>
        ${joined.length} of ${of} joined${failed.length > 0 ? html`, <span class="error">${failed.length} failed</span>` : null}
      </span>`,
      null,
    ];
  }
  const { task } = row;
  const segments = segmentsOf(task, now);
  return [
    html`<span class="task" style=${indent}>
      <${StatusIcon} status=${task.status} />
      <span class="hidden">${task.status}: </span>
      <span class="name">${visible(task.taskName ?? 'unknown task')}</span>
      ${labelOf(task)}
      ${task.attempts.length > 1 ? html`<span class="attempts">×${task.attempts.length}<span class="hidden"> attempts</span></span>` : null}
    </span>`,
    html`<${Track} segments=${segments} span=${span} now=${now} />`,
    timeOf(task, segments, now),
  ];
}

/** Which branch a task is, or why it was sent. */
function labelOf({ role, group }: TaskState): VNode | null {
  if (group?.index !== undefined) return html`<span class="dim">#${group.index}</span>`;
  return role === 'join' || role === 'error' ? html`<span class="role">${role}</span>` : null;
}

function timeOf(task: TaskState, segments: readonly Segment[], now: number): VNode | string {
  if (task.status === 'retrying') return html`<span class="retry">${retryText(task, now)}</span>`;
  if (task.status === 'duplicate') return html`<span class="dim">duplicate</span>`;
  const [first, last] = [segments[0], segments.at(-1)];
  return first && last ? formatDuration(last.to - first.from) : '';
}

function Axis({ millis, ticks }: { millis: number; ticks: readonly number[] }): VNode {
  return html`<div class="axis">
    <span class="hidden">Timeline</span>
    ${ticks.map(
      (at) =>
        html`<span aria-hidden="true" style=${{ left: `${(100 * at) / millis}%` }}>${formatDuration(at).replace(/\.0+ (?=s$)/, ' ')}</span>`,
    )}
  </div>`;
}

function Track({
  segments,
  span: [start, end],
  now,
}: {
  segments: readonly Segment[];
  span: [number, number];
  now: number;
}): VNode {
  const percent = (millis: number) => `${(100 * millis) / (end - start)}%`;
  const text = segments.map(({ kind, from, to }) => `${kinds[kind]} ${formatDuration(to - from)}`).join(', ');
  return html`<div class="track" title=${text}>
    <span class="hidden">${text}</span>
    ${segments.map(
      ({ kind, from, to }) => html`<span
        class=${`segment ${kind}`}
        style=${{ left: percent(from - start), width: percent(to - from) }}
      ></span>`,
    )}
    ${now < end ? html`<span class="now" style=${{ left: percent(now - start) }}></span>` : null}
  </div>`;
}
