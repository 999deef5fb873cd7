import { inspect } from 'node:util';
import { ajson, createAjson } from '../../core/ajson/index.ts';
import { markRaw } from '../../core/ajson/markRaw.ts';
import { escapeControls, escapeReversing } from '../../core/escapeControls.ts';

/** Writes to the terminal, or JSON. Text that came in a message cannot control the terminal. */
export interface Output {
  readonly isJson: boolean;
  /** Writes lines for people. Nothing with `--json`. */
  say(text: string): void;
  /** Writes the result. Tags in it stay tags. Nothing without `--json`. */
  json(value: unknown): void;
  /** Writes a remark to standard error. */
  remark(text: string): void;
  /** A value as a person reads it: tags are shown as the values they are. */
  show(value: unknown): string;
}

type Write = (text: string) => void;

export function createOutput(isJson: boolean, write: Write, writeError: Write, hasColours: boolean): Output {
  return {
    isJson,
    say(text) {
      if (!isJson) write(`${escapeReversing(text)}\n`);
    },
    json(value) {
      if (isJson) write(`${safeJson(value)}\n`);
    },
    remark(text) {
      writeError(`${escapeControls(text, { lines: true })}\n`);
    },
    show: (value) => inspect(rebuilt(value), { colors: hasColours, depth: 20, breakLength: 100 }),
  };
}

/** Text in a line that is shown to people. */
export function plain(text: unknown): string {
  return escapeControls(String(text));
}

/** JSON with the tags of ajson. It is still JSON after control characters are escaped. */
export function safeJson(value: unknown): string {
  const copy = typeof value === 'object' && value !== null ? markRaw(value) : value;
  return escapeControls(ajson.dumps(copy));
}

const lenient = /* @__PURE__ */ createAjson({ unknown: 'keep', zones: 'any' });

/** The value with its tags rebuilt. A value that cannot be rebuilt is shown with its tags. */
function rebuilt(value: unknown): unknown {
  try {
    return lenient.rebuildEvent(value);
  } catch {
    return value;
  }
}
