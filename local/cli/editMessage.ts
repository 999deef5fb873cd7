import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ajson } from '../../core/ajson/index.ts';
import { markRaw } from '../../core/ajson/markRaw.ts';
import type { FoundMessage } from '../queueMessages.ts';
import { replaceTask } from '../redriveMessage.ts';
import { UsageError } from './command.ts';

/**
 * Lets a person edit the task of a message in an editor.
 *
 * @returns the body with the new task in the same envelope, so that the chain goes on; undefined when the text is empty
 */
export async function editMessage(message: FoundMessage, editor: string): Promise<string | undefined> {
  const { record, content } = message;
  const before = content === undefined ? record.body : indented(content);
  const after = (await edit(before, editor)).trim();
  if (after === '') return undefined;
  if (after === before.trim()) return record.body;
  return replaceTask(message, after);
}

function indented(content: unknown): string {
  const text = ajson.dumps(typeof content === 'object' && content !== null ? markRaw(content) : content);
  const shown = JSON.stringify(JSON.parse(text), null, 2);
  // Integers past 2^53 would lose digits.
  return JSON.stringify(JSON.parse(shown)) === text ? shown : text;
}

/**
 * The command of the editor.
 *
 * @throws UsageError when there is none
 */
export function findEditor(): string {
  const editor = process.env.VISUAL || process.env.EDITOR;
  if (editor) return editor;
  throw new UsageError('set EDITOR to the command of an editor, such as EDITOR=nano.');
}

async function edit(text: string, editor: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'algernon-middy-'));
  const file = join(folder, 'task.json');
  try {
    await writeFile(file, `${text}\n`, { mode: 0o600 });
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    // As git does: the variable may hold a command with options.
    const child = spawn(`${editor} "${file}"`, { shell: true, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', resolve);
    const code = await promise;
    if (code !== 0) throw new Error(`the editor ended with the exit code ${code}, so the message stays.`);
    return await readFile(file, 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
