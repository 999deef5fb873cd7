/** Where the demo writes to: the terminal, or whatever stands in its place. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** How far the tasks of one name have come. */
export interface TaskProgress {
  task: string;
  done: number;
  of: number;
  /** What else there is to say, such as `1 to try again`. */
  note?: string | undefined;
}

/** Shows how far the work has come, while it goes on. */
export interface Progress {
  /** Draws what has changed, but not every time it is called. */
  show(tasks: TaskProgress[]): void;
  /** Draws the last state. */
  end(tasks: TaskProgress[]): void;
}

const liveMillis = 50;
const plainMillis = 1000;
const maxBarWidth = 40;
const noteWidth = 20;

/**
 * Bars that fill, where `out` is a terminal; where it is not, or with `live: false`, a line of text now and then.
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
