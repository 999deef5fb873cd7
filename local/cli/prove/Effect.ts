import { createHash } from 'node:crypto';
import type { AwsCall } from '../../serverControl.ts';

/** Something that a task did that others can see. */
export interface Effect {
  readonly kind: 'object' | 'deletion' | 'message' | 'file';
  /** `bucket/key`, the name of the topic or queue, or the path of the file. */
  readonly target: string;
  /** The hash of the content. */
  readonly content: string;
}

const writes = /^(?:PutObject|UploadPart|CopyObject|CompleteMultipartUpload)$/;

/** The effects that a call has when it is made. Reads have none. */
export function effectsOf({ service, operation, target, input }: AwsCall, body: unknown): Effect[] {
  if (service === 's3') {
    if (writes.test(operation))
      return [{ kind: 'object', target, content: hashOf(body as Buffer | undefined) }];
    return operation.startsWith('Delete') ? [{ kind: 'deletion', target, content: '' }] : [];
  }
  return messagesIn(operation, input).map((text) => ({ kind: 'message', target, content: hashOf(text) }));
}

/** The texts of the messages in a call of Publish, PublishBatch, SendMessage or SendMessageBatch. */
function messagesIn(operation: string, input: Readonly<Record<string, unknown>>): string[] {
  if (operation === 'Publish') return [String(input['Message'])];
  if (operation === 'SendMessage') return [String(input['MessageBody'])];
  if (operation === 'SendMessageBatch') {
    return (input['Entries'] as { MessageBody: string }[]).map(({ MessageBody }) => MessageBody);
  }
  if (operation !== 'PublishBatch') return [];
  const names = Object.keys(input).filter((name) =>
    /^PublishBatchRequestEntries\.member\.\d+\.Message$/.test(name),
  );
  return names.map((name) => String(input[name]));
}

export function hashOf(content: string | Uint8Array | undefined): string {
  return createHash('sha256')
    .update(content ?? '')
    .digest('hex')
    .slice(0, 16);
}

/** A text that is equal for equal effects. */
export function identityOf({ kind, target, content }: Effect): string {
  return `${kind}\n${target}\n${content}`;
}

/** The distinct effects, in order. */
export function distinct(effects: readonly Effect[]): Effect[] {
  return [...new Map(effects.map((effect) => [identityOf(effect), effect])).values()];
}
