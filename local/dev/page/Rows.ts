import { html } from 'htm/preact';
import type { ComponentChild, VNode } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

export interface Row {
  key: string;
  /** Attributes of the row, such as `aria-level`. */
  attributes?: Record<string, unknown>;
}

export interface RowsProps<R extends Row> {
  role: 'grid' | 'treegrid';
  label: string;
  /** The names of the columns. */
  columns: readonly ComponentChild[];
  rows: readonly R[];
  rowHeight: number;
  /** The cells of a row. */
  cells(row: R): readonly ComponentChild[];
  onOpen(row: R): void;
  /** The keys of the arrows right and left. */
  onExpand?(row: R, isExpanded: boolean): void;
  /** The key of the row that is open. */
  selected?: string | undefined;
}

/** The rows that are rendered above and below those in sight. */
const overscan = 8;

/**
 * A table that renders only the rows in sight, so that thousands stay smooth. Rows are reached with the arrow keys, Home, End,
 * Page Up and Page Down, and opened with Enter.
 */
export function Rows<R extends Row>(props: RowsProps<R>): VNode {
  const { role, label, columns, rows, rowHeight, cells, onOpen, onExpand, selected } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  const [active, setActive] = useState(selected);
  const isFocusWanted = useRef(false);
  const indexes = useMemo(() => new Map(rows.map(({ key }, index) => [key, index])), [rows]);
  const activeIndex = indexes.get(active ?? '') ?? 0;

  useEffect(() => {
    if (selected !== undefined) setActive(selected);
  }, [selected]);
  useLayoutEffect(() => {
    const element = box.current as HTMLDivElement;
    // A link may lead to a row that is out of sight.
    if (activeIndex > 0) element.scrollTop = (activeIndex + 1) * rowHeight - element.clientHeight / 2;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, []);
  useAnchor(box, rows, indexes, rowHeight);
  useLayoutEffect(() => {
    if (!isFocusWanted.current) return;
    isFocusWanted.current = false;
    focusRow(box.current as HTMLDivElement, activeIndex, rowHeight);
  });

  const first = Math.max(0, Math.floor(view.top / rowHeight) - overscan);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / rowHeight) + overscan);
  const shown = rows.slice(first, last).map((row, index) => ({ row, index: first + index }));
  // The row with the focus stays, and so does the one that Tab leads to.
  const activeRow = rows[activeIndex];
  if (activeRow && activeIndex < first) shown.unshift({ row: activeRow, index: activeIndex });
  if (activeRow && activeIndex >= last) shown.push({ row: activeRow, index: activeIndex });

  function move(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 2);
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -rows.length,
      End: rows.length,
    };
    const step = steps[event.key];
    if (step !== undefined) {
      const target = rows[Math.min(rows.length - 1, Math.max(0, activeIndex + step))];
      isFocusWanted.current = true;
      setActive(target?.key);
      // The same row again is rendered nevertheless, so that it gets the focus.
      setView({ ...view });
    } else if (activeRow && event.key === 'Enter') onOpen(activeRow);
    else if (activeRow && onExpand && event.key === 'ArrowRight') onExpand(activeRow, true);
    else if (activeRow && onExpand && event.key === 'ArrowLeft') onExpand(activeRow, false);
    else return;
    event.preventDefault();
  }

  function open(event: MouseEvent, row: R): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
    if (getSelection()?.isCollapsed === false) return;
    event.preventDefault();
    setActive(row.key);
    onOpen(row);
  }

  return html`<div
    class="rows"
    role=${role}
    aria-label=${label}
    aria-rowcount=${rows.length + 1}
    ref=${box}
    onKeyDown=${move}
  >
    <div class="heads" role="rowgroup">
      <div class="head row" role="row" aria-rowindex="1">
        ${columns.map((column) => html`<div role="columnheader">${column}</div>`)}
      </div>
    </div>
    <div class="body" role="rowgroup" style=${{ height: `${rows.length * rowHeight}px` }}>
      ${shown.map(
        ({ row, index }) => html`<div
          key=${row.key}
          class="row"
          role="row"
          tabindex=${index === activeIndex ? 0 : -1}
          aria-rowindex=${index + 2}
          aria-selected=${row.key === selected ? 'true' : undefined}
          data-index=${index}
          style=${{ top: `${index * rowHeight}px`, height: `${rowHeight}px` }}
          onClick=${(event: MouseEvent) => open(event, row)}
          onFocus=${() => setActive(row.key)}
          ...${row.attributes}
        >
          ${cells(row).map((cell) => html`<div role="gridcell">${cell}</div>`)}
        </div>`,
      )}
    </div>
  </div>`;
}

/** Keeps the rows in sight where they are when rows come in above them. */
function useAnchor(
  box: { current: HTMLDivElement | null },
  rows: readonly Row[],
  indexes: ReadonlyMap<string, number>,
  rowHeight: number,
): void {
  const anchor = useRef({ key: '', index: 0 });
  useLayoutEffect(() => {
    const element = box.current as HTMLDivElement;
    const index = indexes.get(anchor.current.key);
    if (element.scrollTop > 0 && index !== undefined && index !== anchor.current.index) {
      element.scrollTop += (index - anchor.current.index) * rowHeight;
    }
    const top = Math.min(rows.length - 1, Math.floor(element.scrollTop / rowHeight));
    anchor.current = { key: rows[top]?.key ?? '', index: top };
  });
}

function focusRow(box: HTMLElement, index: number, rowHeight: number): void {
  const top = index * rowHeight;
  if (top < box.scrollTop) box.scrollTop = top;
  const head = (box.firstElementChild as HTMLElement).offsetHeight;
  const hidden = head + top + rowHeight - box.clientHeight;
  if (hidden > box.scrollTop) box.scrollTop = hidden;
  box.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus({ preventScroll: true });
}
