import { randomUUID } from 'node:crypto';
import type { TaskRun } from '../../core/batch/stage.ts';
import { formatPointer, parsePointer } from '../../core/storedData/pointer.ts';
import { hasUnstoredValue, pointerIn, pointerTag, StoredData } from '../../core/storedData/StoredData.ts';
import type { Task } from '../../core/tasks/task.ts';
import { bucketToWrite, folderFromEnvironment } from '../aws/environment.ts';
import { storeUnstored, storeValue, type WriteValueOptions, writeValue } from '../aws/writeValue.ts';

/** The message that a result comes from. */
export interface Origin {
  messageId: string;
  taskName: string;
  /** Milliseconds since 1970. */
  sentAt: number;
  /** The ARN of the function, or another ARN in its region and account. */
  functionArn: string | undefined;
  /** The FIFO message group. */
  groupId?: string | undefined;
}

export interface StoreResultOptions extends WriteValueOptions {
  folder?: string | undefined;
  /** A result of up to this many bytes is not stored. */
  inlineUnder: number;
  /** Gets the pointer to the result. */
  report?: TaskRun['report'];
}

export interface StoredResult {
  /** The ajson for the next task's message: a pointer, or a result that is small enough for the message. */
  kwargs: string;
  /** The length of the ajson that was stored; 0 when nothing was. */
  storedLength: number;
}

/**
 * Stores the result of a task.
 *
 * @throws StoredDataError
 * @throws OptionError when the name of the bucket is not valid in a pointer
 */
export async function storeResult(
  result: unknown,
  origin: Origin,
  options: StoreResultOptions,
): Promise<StoredResult> {
  const { inlineUnder } = options;
  if (result === undefined || result === null) return { kwargs: '{}', storedLength: 0 };
  const startedAt = Date.now();
  const stored = (pointer: string, length: number): StoredResult => {
    options.report?.({ type: 'stored', pointer, length, durationMillis: Date.now() - startedAt });
    return { kwargs: pointerTag(pointer), storedLength: length };
  };
  const pointerToPass = pointerOf(result);
  if (pointerToPass !== undefined) {
    parsePointer(pointerToPass);
    if (hasUnstoredValue(result)) await storeUnstored([result], options);
    return stored(pointerToPass, 0);
  }
  const written = writeValue(result, options, inlineUnder);
  const { text, unstored } = written;
  if (inlineUnder > 0 && text !== undefined && Buffer.byteLength(text) <= inlineUnder) {
    await storeUnstored(unstored, options);
    return { kwargs: text, storedLength: 0 };
  }
  const pointer = formatPointer({
    bucket: bucketToWrite(options.bucket, 'storing a value'),
    folder: options.folder ?? folderFromEnvironment(),
    name: `${origin.messageId}-${origin.taskName}`,
    timestamp: origin.sentAt || 0,
  });
  const storedLength = await storeValue(parsePointer(pointer), written, options);
  return stored(pointer, storedLength);
}

/** Stores the arguments of a task if they are not small, or not `isInline`. Resolves to the ajson for its message. */
export type StoreArguments = (
  task: Task<unknown>,
  options: { isInline: boolean; signal: AbortSignal | undefined },
) => Promise<string>;

/** Makes a function that stores the arguments of tasks. */
export function argumentsStore(storing: StoreResultOptions): StoreArguments {
  return async ({ task_name: taskName, task_kwargs }, { isInline, signal }) => {
    const origin = { messageId: randomUUID(), taskName, sentAt: Date.now(), functionArn: undefined };
    const inlineUnder = isInline ? storing.inlineUnder : 0;
    return (await storeResult(task_kwargs, origin, { ...storing, inlineUnder, signal })).kwargs;
  };
}

/** The pointer, if the result is a StoredData or its tag. */
function pointerOf(result: unknown): string | undefined {
  if (result instanceof StoredData) return result.pointer;
  return typeof result === 'object' && result !== null ? pointerIn(result) : undefined;
}
