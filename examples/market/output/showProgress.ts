/** The output of the demo, such as a terminal. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** The progress of the tasks of one name. */
export interface TaskProgress {
  task: string;
  done: number;
  of: number;
  /** A note such as `1 to try again`. */
  note?: string | undefined;
}

/** Shows the progress of the work. */
export interface Progress {
  /** Draws the current state, at a limited rate. */
  show(tasks: TaskProgress[]): void;
  /** Draws the last state. */
  end(tasks: TaskProgress[]): void;
}

const liveMillis = 50;
const plainMillis = 1000;
const maxBarWidth = 40;
const noteWidth = 20;

/**
 * Draws progress bars on a terminal. Otherwise, or with `live: false`, it writes a line of text now and then.
 */
export function showProgress(out: Output, { live = out.isTTY === true }: { live?: boolean } = {}): Progress {
  let last: string[] = [];
  let next = 0;
  const draw = (tasks: TaskProgress[]): void => {
    const lines = live ? drawBars(tasks, (out.columns || 80) - 1) : [drawLine(tasks)];
    if (lines.join() === last.join()) return;
    const up = live && last.length > 0 ? `\x1b[${last.length}A` : '';
    out.write(up + lines.map((line) => `${live ? '\x1b[2K' : ''}${line}\n`).join(''));
    last = lines;
  };
  return {
    show(tasks) {
      const now = performance.now();
      if (now < next) return;
      next = now + (live ? liveMillis : plainMillis);
      draw(tasks);
    },
    end: draw,
  };
}

function drawBars(tasks: TaskProgress[], columns: number): string[] {
  const nameWidth = Math.max(...tasks.map(({ task }) => task.length));
  return tasks.map(({ task, done, of, note = '' }) => {
    const room = columns - nameWidth - `${of} of ${of}`.length - noteWidth;
    const size = Math.max(0, Math.min(maxBarWidth, room));
    const filled = of === 0 ? 0 : Math.floor((done / of) * size);
    const bar = '━'.repeat(filled) + '┄'.repeat(size - filled);
    return `${task.padEnd(nameWidth)}  ${bar}  ${`${done}`.padStart(`${of}`.length)} of ${of}  ${note}`
      .trimEnd()
      .slice(0, columns);
  });
}

function drawLine(tasks: TaskProgress[]): string {
  return tasks
    .map(({ task, done, of, note }) => `${task} ${done} of ${of}${note ? ` (${note})` : ''}`)
    .join(', ');
}
