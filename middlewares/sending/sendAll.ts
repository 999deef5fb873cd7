import { randomUUID } from 'node:crypto';
import { ajson as sharedAjson } from '../../core/ajson/ajson.ts';
import { NotATaskError } from '../../core/batch/unwrapTask.ts';
import { mapAtMost } from '../../core/mapAtMost.ts';
import type { ObjectStore } from '../../core/storedData/ObjectStore.ts';
import { chainIdName } from '../../core/tasks/chainId.ts';
import { checkKwargs, type TaskDefinitions } from '../../core/tasks/defineTasks.ts';
import { nextTask } from '../../core/tasks/nextTask.ts';
import { isTask, type Task, taskMessage } from '../../core/tasks/task.ts';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import { bucketFromEnvironment } from '../aws/environment.ts';
import { extendedPointer, sizeAttributes } from '../aws/extendedPointer.ts';
import { s3ObjectStore } from '../aws/s3ObjectStore.ts';
import { fitAttributes } from '../aws/snsMessage.ts';
import { topicFinder } from '../aws/topics.ts';
import { extraAttributes } from '../callbacks/extraCallbacks.ts';
import { storeResult } from '../callbacks/storeResult.ts';
import { currentTask } from '../events/currentTask.ts';
import type { SendTaskOptions, SentTask } from '../sendTask.ts';
import { carrying } from '../tracing/carrying.ts';
import { currentScope } from '../tracing/scope.ts';
import { type Carrier, carrierOf } from './carrierOf.ts';
import { kwargsText } from './kwargsText.ts';

/** The outcome for a task. Neither property is set if sending was not attempted. */
export interface Outcome {
  sent?: SentTask;
  error?: unknown;
}

type Options = SendTaskOptions & { tasks?: TaskDefinitions | undefined };

/** A task that passed all checks. */
interface Draft {
  readonly index: number;
  readonly id: string;
  readonly task: Task<object>;
  /** The arguments in ajson. */
  readonly text: string;
  readonly topicArn: string;
  /** Undefined if the message goes through its topic. */
  readonly queue: string | undefined;
  readonly chainId: string;
  /** All attributes except those that the running task passes on. */
  readonly attributes: Readonly<Record<string, string | number>>;
}

interface Letter extends Draft {
  readonly message: TaskMessage;
}

/** The maximum number of concurrent uploads. */
const maxUploads = 16;

/**
 * Sends tasks in three steps: checks all of them, stores large arguments, and publishes. Nothing is stored or sent
 * unless all tasks pass the checks; after that, a task that fails does not stop the others.
 */
export async function sendAll(tasks: readonly Task<unknown>[], options: Options): Promise<Outcome[]> {
  const outcomes: Outcome[] = tasks.map(() => ({}));
  const attempt = async <T>(index: number, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      outcomes[index] = { error };
      return undefined;
    }
  };

  const carrier = carrierOf(options);
  const findTopic = topicFinder(options.topics, options.functionArn);
  const drafts: Draft[] = [];
  for (const [index, task] of tasks.entries()) {
    const draft = await attempt(index, () => draftOf(index, task, options, carrier, findTopic));
    if (draft) drafts.push(draft);
  }
  if (drafts.length < tasks.length) return outcomes;

  const letters: Letter[] = [];
  await mapAtMost(maxUploads, drafts, async (draft) => {
    const letter = await attempt(draft.index, () => messageOf(draft, options, carrier));
    if (letter) letters[draft.index] = letter;
  });

  await Promise.all(
    [...groupByTopic(Object.values(letters))].map(([arn, ofTopic]) =>
      carrying(arn, options.tracing, (carried) => publishAll(carrier, ofTopic, carried, outcomes)),
    ),
  );
  return outcomes;
}

async function draftOf(
  index: number,
  task: Task<unknown>,
  options: Options,
  carrier: Carrier,
  findTopic: (taskName: string) => Promise<string>,
): Promise<Draft> {
  if (!isTask(task)) throw new NotATaskError('task_name must be a string');
  const { task_name, task_kwargs, callback } = task;
  nextTask(callback, task_name);
  if (options.tasks) await checkKwargs(options.tasks, task_name, task_kwargs ?? {});
  const { ajson = sharedAjson } = options;
  const text = kwargsText(task, (value) => ajson.dumps(value));
  const carried = currentScope()?.task?.outgoingAttributes;
  const id = randomUUID();
  const running = carried?.[chainIdName] ?? currentTask()?.chainId;
  const chainId = options.chainId ?? options.attributes?.[chainIdName] ?? running ?? randomUUID();
  const own = { ...extraAttributes(task_name, options), ...options.attributes, [chainIdName]: chainId };
  // Checked before S3, so that a message that SNS would refuse stores nothing.
  fitAttributes({ ...carried, ...own });
  const arn = await findTopic(task_name);
  const queue = await carrier.queueFor(task_name, arn);
  return { index, id, task: task as Task<object>, text, topicArn: arn, queue, chainId, attributes: own };
}

/** Builds the message of a task. Large arguments go through S3, and so do those that do not fit into the message. */
async function messageOf(draft: Draft, options: Options, carrier: Carrier): Promise<Letter> {
  const { s3, acl, inlineUnder = 131_072 } = options;
  const store = s3ObjectStore({ s3, acl });
  if (options.extendedPayload) return extendedMessage(draft, options, store, carrier);
  const { id, task, text } = draft;
  const origin = {
    messageId: id,
    taskName: task.task_name,
    sentAt: Date.now(),
    functionArn: options.functionArn,
  };
  const write = async (under: number) => {
    const storing = { store, bucket: options.bucket, folder: options.folder, inlineUnder: under };
    const { kwargs, storedLength } = await storeResult(task.task_kwargs, origin, {
      ...storing,
      pieces: () => [text],
    });
    return {
      storedLength,
      letter: letterOf(draft, taskMessage(task.task_name, kwargs, task.callback), options),
    };
  };
  const { storedLength, letter } = await write(inlineUnder);
  const isInline = storedLength === 0 && text !== '{}';
  return isInline && !carrier.fits(letter.message) ? (await write(0)).letter : letter;
}

/** Sends a large message through S3 as a whole, like AWS's extended clients. */
async function extendedMessage(
  draft: Draft,
  options: Options,
  store: ObjectStore,
  carrier: Carrier,
): Promise<Letter> {
  const { inlineUnder = 131_072 } = options;
  const { task_name, callback } = draft.task;
  const body = taskMessage(task_name, draft.text, callback);
  const letter = letterOf(draft, body, options);
  const bytes = Buffer.byteLength(body);
  if (bytes <= inlineUnder && carrier.fits(letter.message)) return letter;
  const attributes = { ...draft.attributes, [sizeAttributes[0]]: bytes };
  fitAttributes({ ...currentScope()?.task?.outgoingAttributes, ...attributes });
  const address = { bucket: options.bucket ?? bucketFromEnvironment(), key: draft.id };
  await store.put(address, body);
  return letterOf({ ...draft, attributes }, extendedPointer(address.bucket, address.key), options);
}

function letterOf(draft: Draft, body: string, { groupId, deduplicationId }: Options): Letter {
  const { topicArn, attributes, id } = draft;
  const message = {
    topicArn,
    message: body,
    attributes,
    groupId,
    deduplicationId: deduplicationId ?? id,
  };
  return { ...draft, message };
}

function groupByTopic(letters: readonly Letter[]): Map<string, Letter[]> {
  const byTopic = new Map<string, Letter[]>();
  for (const letter of letters) {
    const ofTopic = byTopic.get(letter.topicArn) ?? [];
    ofTopic.push(letter);
    byTopic.set(letter.topicArn, ofTopic);
  }
  return byTopic;
}

async function publishAll(
  carrier: Carrier,
  letters: readonly Letter[],
  carried: Readonly<Record<string, string>>,
  outcomes: Outcome[],
): Promise<void> {
  const messages = letters.map(({ id, queue, message }) => ({
    ...message,
    attributes: { ...carried, ...message.attributes },
    messageId: id,
    queue,
  }));
  const sent = await carrier.send(messages);
  letters.forEach(({ index, chainId }, order) => {
    const outcome = sent[order];
    if (!outcome || 'error' in outcome) outcomes[index] = { error: outcome?.error };
    else outcomes[index] = { sent: { chainId, ...outcome } };
  });
}
