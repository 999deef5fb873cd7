/** One delivery of a task's message, as its lines tell. */
export interface LoggedAttempt {
  readonly attempt: number;
  readonly firstAt: string;
  lastAt: string;
  /** The error of its line `task failed`. */
  error?: { readonly name: string; readonly message: string };
}

/** A task of a chain. */
export interface LoggedTask {
  readonly taskName: string;
  readonly messageId: string;
  readonly chain?: string;
  readonly attempts: LoggedAttempt[];
}

/** A line of lambdaLogged, with the keys that are read. */
export interface LoggedLine {
  readonly timestamp: string;
  readonly level: string;
  readonly message: string;
  readonly chain_id: string;
  readonly task_name?: string;
  readonly message_id?: string;
  readonly receive_count?: number;
  readonly chain?: string;
  readonly error?: { readonly name?: unknown; readonly message?: unknown };
}

/** The lines of a chain, in the order of their times. Other lines are left out. */
export function linesOfChain(texts: readonly string[], chainId: string): LoggedLine[] {
  const lines = texts.flatMap((text) => {
    try {
      const line = JSON.parse(text) as Partial<LoggedLine> | null;
      return line?.chain_id === chainId && typeof line.timestamp === 'string' ? [line as LoggedLine] : [];
    } catch {
      return [];
    }
  });
  return lines.sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp));
}

/** Gathers the tasks of a chain from its lines. A task that wrote no line is not known. */
export function chainOfLines(lines: readonly LoggedLine[]): LoggedTask[] {
  const tasks = new Map<string, LoggedTask>();
  for (const line of lines) {
    const {
      timestamp,
      level,
      message,
      task_name = '',
      message_id = '',
      receive_count = 1,
      chain,
      error,
    } = line;
    const task = tasks.get(message_id) ?? {
      taskName: task_name,
      messageId: message_id,
      ...(chain !== undefined && { chain }),
      attempts: [],
    };
    tasks.set(message_id, task);
    const known = task.attempts.find((each) => each.attempt === receive_count);
    const attempt: LoggedAttempt = known ?? { attempt: receive_count, firstAt: timestamp, lastAt: timestamp };
    if (!known) task.attempts.push(attempt);
    attempt.lastAt = timestamp;
    if (level !== 'ERROR' || message !== 'task failed') continue;
    attempt.error = { name: String(error?.name ?? 'Error'), message: String(error?.message ?? '') };
  }
  return [...tasks.values()];
}
