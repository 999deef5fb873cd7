import { gunzipSync } from 'node:zlib';
import { raw } from '../../core/ajson/raw.ts';
import { isSnsRecord, recordsOf, type SqsRecord, type TaskRecord } from '../../core/batch/events.ts';
import { isEnvelope, unwrap } from '../../core/batch/unwrapTask.ts';
import { AlgernonError } from '../../core/errors.ts';
import { pointerClasses } from '../../middlewares/aws/extendedPointer.ts';

/** A message or a value that was found in a text. */
export interface Opened {
  /** The wrappings, from outside in, such as `gzip`, `SQS message`, `SNS notification`. */
  readonly layers: readonly string[];
  /** The content: tags are tags. */
  readonly content: unknown;
  readonly attributes: Readonly<Record<string, string>>;
  readonly messageId?: string;
}

/** The most bytes that a compressed text may have. */
const maxBytes = 64 * 1024 * 1024;
const maxLayers = 8;

/**
 * Opens a text as far as it goes: gzip, base64, JSON in a string, the answer of `aws sqs receive-message`, an event of Lambda, a
 * message of SQS, an envelope of SNS, a stored value.
 *
 * @throws AlgernonError `NOT_DECODED` when it is not JSON
 */
export function openText(input: Buffer, layers: readonly string[] = []): Opened[] {
  if (layers.length > maxLayers) throw notDecoded(`it is wrapped more than ${maxLayers} times`);
  if (input[0] === 0x1f && input[1] === 0x8b) {
    return openText(gunzipSync(input, { maxOutputLength: maxBytes }), [...layers, 'gzip']);
  }
  const text = input.toString('utf8').trim();
  if (text === '') throw notDecoded('it is empty');
  let value: unknown;
  try {
    value = raw(text);
  } catch (error) {
    const isBase64 = text.length >= 8 && /^[\w+/\s-]+={0,2}$/.test(text) && !/^\d+$/.test(text);
    if (!isBase64) throw notDecoded((error as Error).message);
    return openText(Buffer.from(text, 'base64'), [...layers, 'base64']);
  }
  return openValue(value, layers);
}

function notDecoded(reason: string): AlgernonError {
  return new AlgernonError('NOT_DECODED', `The text is not JSON, nor gzip or base64 of JSON: ${reason}.`);
}

function openValue(value: unknown, layers: readonly string[]): Opened[] {
  if (typeof value === 'string') {
    return /^\s*[[{"]/.test(value)
      ? openText(Buffer.from(value), [...layers, 'JSON text'])
      : [{ layers, content: value, attributes: {} }];
  }
  if (Array.isArray(value) && pointerClasses.includes(value[0])) {
    return [{ layers: [...layers, 'extended pointer'], content: value, attributes: {} }];
  }
  const { Messages, Body, data_string } = Object(value) as Record<string, unknown>;
  if (Array.isArray(Messages)) {
    return Messages.flatMap((message) => openValue(message, [...layers, 'SQS answer']));
  }
  if (typeof Body === 'string')
    return [openRecord(recordOf(value as SqsMessage), [...layers, 'SQS message'])];
  const records = recordsOf(value);
  if (records?.length && records.every(isRecord)) {
    return records.map((record) => openRecord(record, [...layers, 'Lambda event']));
  }
  if (isRecord(value)) return [openRecord(value, [...layers, 'SQS record'])];
  if (isEnvelope(value)) {
    const body = { messageId: '', messageAttributes: {}, body: JSON.stringify(value) };
    return [openRecord(body as unknown as SqsRecord, layers)];
  }
  if (data_string !== undefined && 'full_unpack' in (value as object)) {
    return [{ layers: [...layers, 'stored value'], content: data_string, attributes: {} }];
  }
  return [{ layers, content: value, attributes: {} }];
}

/** A message as the SDK and the command line of AWS show it. */
interface SqsMessage {
  MessageId?: string;
  Body: string;
  MessageAttributes?: Record<string, { StringValue?: string; DataType?: string }>;
}

function recordOf({ MessageId = '', Body, MessageAttributes = {} }: SqsMessage): SqsRecord {
  const attributes = Object.entries(MessageAttributes).map(([name, { StringValue, DataType = 'String' }]) => [
    name,
    { stringValue: StringValue, dataType: DataType },
  ]);
  const messageAttributes = Object.fromEntries(attributes);
  return { messageId: MessageId, body: Body, messageAttributes } as unknown as SqsRecord;
}

function isRecord(value: unknown): value is TaskRecord {
  const { messageId, body, Sns } = Object(value) as Record<string, unknown>;
  return (typeof messageId === 'string' && typeof body === 'string') || Object(Sns).Message !== undefined;
}

function openRecord(record: TaskRecord, layers: readonly string[]): Opened {
  const { content, attributes, notification } = unwrap(record);
  const isWrapped = notification !== undefined && !isSnsRecord(record);
  const own = isSnsRecord(record) ? {} : textsOf(record);
  const messageId = notification?.messageId ?? (isSnsRecord(record) ? undefined : record.messageId);
  return {
    layers: isWrapped ? [...layers, 'SNS notification'] : layers,
    content,
    attributes: { ...attributes, ...own },
    ...(messageId && { messageId }),
  };
}

function textsOf({ messageAttributes = {} }: SqsRecord): Record<string, string> {
  const entries = Object.entries(messageAttributes);
  return Object.fromEntries(entries.map(([name, { stringValue = '' }]) => [name, stringValue]));
}
