import { ajson } from '../ajson/ajson.ts';
import { AjsonError, MessageNotJsonError, NotATaskError } from '../errors.ts';
import { isSnsRecord, messageIdOf, type TaskRecord } from './events.ts';
import { isTask, type Task } from './task.ts';

/**
 * Takes the task out of a record: out of the SNS envelope in the body of an SQS message, out of the body itself
 * with raw message delivery, or out of a notification that SNS gave straight to Lambda.
 *
 * The task is parsed JSON whose tags are still tags; integers past 2^53 are bigint. The record is left as it is.
 *
 * @throws MessageNotJsonError when the text is not JSON
 * @throws NotATaskError when there is no `task_name` in it
 * @example
 * const task = unwrapTask(event.Records[0]);
 */
export function unwrapTask(record: TaskRecord): Task {
  const messageId = messageIdOf(record);
  let message = isSnsRecord(record)
    ? parse(record.Sns.Message, messageId)
    : parse(record.body as unknown, messageId);
  if (!isSnsRecord(record) && isEnvelope(message)) message = parse(message.Message, messageId);
  if (!isTask(message)) throw new NotATaskError(messageId);
  return message;
}

/** Another middleware may have parsed the text already: what is not text is taken as the parsed message. */
function parse(message: unknown, messageId: string): unknown {
  if (typeof message !== 'string') return message;
  try {
    return ajson.raw(message);
  } catch (error) {
    if (!(error instanceof AjsonError)) throw error;
    throw new MessageNotJsonError(messageId, error);
  }
}

function isEnvelope(message: unknown): message is { Message: unknown } {
  if (typeof message !== 'object' || message === null) return false;
  const { Type, TopicArn, Message } = message as Record<string, unknown>;
  // event-normalizer parses the message inside the envelope too, so it may be an object by now.
  return (
    Type === 'Notification' &&
    typeof TopicArn === 'string' &&
    (typeof Message === 'string' || isTask(Message))
  );
}
