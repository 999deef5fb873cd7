import {
  formatPointer,
  formatStoredBody,
  type ObjectStore,
  parsePointer,
  pointerIn,
  pointerTag,
  StoredData,
} from '../../core/storedData.ts';
import { bucketFromEnvironment, folderFromEnvironment } from '../aws/environment.ts';

/** The message that a result comes from. */
export interface Origin {
  messageId: string;
  taskName: string;
  /** Milliseconds since 1970. */
  sentAt: number;
  /** The ARN of the function, or of its neighbour in the same region and account. */
  functionArn: string | undefined;
  /** The FIFO message group. */
  groupId?: string | undefined;
}

export interface StoreResultOptions {
  store: ObjectStore;
  bucket?: string | undefined;
  folder?: string | undefined;
  /** Up to this many bytes, a result is not stored. */
  inlineUnder: number;
  dumps(value: unknown): string;
  signal?: AbortSignal | undefined;
}

export interface StoredResult {
  /**
   * The ajson of what stands for the result in the next task's message: a pointer, or the result itself where there is
   * none, where it is a pointer already, or where it is small enough to travel in the message.
   */
  kwargs: string;
  /** How long the ajson is that lies in the store now; 0 where nothing was stored. */
  storedLength: number;
}

/** Stores the result of a task. */
export async function storeResult(
  result: unknown,
  origin: Origin,
  options: StoreResultOptions,
): Promise<StoredResult> {
  const { store, dumps, inlineUnder, signal } = options;
  if (result === undefined || result === null) return { kwargs: '{}', storedLength: 0 };
  const passedOn = pointerOf(result);
  if (passedOn !== undefined) {
    parsePointer(passedOn);
    return { kwargs: pointerTag(passedOn), storedLength: 0 };
  }
  const text = dumps(result);
  if (inlineUnder > 0 && Buffer.byteLength(text) <= inlineUnder) {
    return { kwargs: text, storedLength: 0 };
  }
  const pointer = formatPointer({
    bucket: options.bucket ?? bucketFromEnvironment(),
    folder: options.folder ?? folderFromEnvironment(),
    name: `${origin.messageId}-${origin.taskName}`,
    timestamp: origin.sentAt || 0,
  });
  await store.put(parsePointer(pointer), formatStoredBody(text), { signal });
  return { kwargs: pointerTag(pointer), storedLength: text.length };
}

/** The pointer in a result that is one, whether its value has been read or not. */
function pointerOf(result: unknown): string | undefined {
  if (result instanceof StoredData) return result.pointer;
  return typeof result === 'object' && result !== null ? pointerIn(result) : undefined;
}

/** The message of a task, around arguments that are ajson already. */
export function taskMessage(taskName: string, kwargs: string, callback?: string | null): string {
  const chain = callback ? `,"callback":${JSON.stringify(callback)}` : '';
  const message = `{"task_name":${JSON.stringify(taskName)},"task_kwargs":${kwargs}${chain}}`;
  return message.replace(noncharacters, (one) => `\\u${one.charCodeAt(0).toString(16)}`);
}

/** What SQS does not carry. */
const noncharacters = /[\uFFFE\uFFFF]/g;
