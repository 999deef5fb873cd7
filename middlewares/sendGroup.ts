import { randomUUID } from 'node:crypto';
import { ajson as sharedAjson } from '../core/ajson/ajson.ts';
import type { GroupFact } from '../core/chains/ChainEvent.ts';
import { checkOptions, either, func, listOf, object, text, whole, withMethod } from '../core/checkOptions.ts';
import { checkGroup, type GroupOptions, groupOptionChecks } from '../core/groups/fanOut.ts';
import type { DefinedBranch, DefinedGroup, FittingBranches } from '../core/groups/groupTypes.ts';
import type { Failures, ResultForm } from '../core/groups/plan.ts';
import { chainIdName, chainIdPattern } from '../core/tasks/chainId.ts';
import type { TaskDefinitions } from '../core/tasks/defineTasks.ts';
import type { Task } from '../core/tasks/task.ts';
import { type AwsClient, awsClient, bucketName, folderName } from './aws/optionChecks.ts';
import { s3ObjectStore } from './aws/s3ObjectStore.ts';
import { snsPublisher } from './aws/snsPublisher.ts';
import { extraAttributes, groupAttributes } from './callbacks/extraCallbacks.ts';
import { argumentsStore } from './callbacks/storeResult.ts';
import { currentTask } from './events/currentTask.ts';
import { eventTargets } from './events/eventWriter.ts';
import { awsGroups, groupHashOf } from './groups/awsGroups.ts';
import { prepareGroup } from './groups/prepareGroup.ts';
import { checkAttributes } from './sending/checkAttributes.ts';
import { openSentReport, type SentReport } from './sending/reportSent.ts';
import type { SendTaskOptions } from './sendTask.ts';
import { currentScope } from './tracing/scope.ts';

type SharedOptions = Pick<
  SendTaskOptions,
  | 's3'
  | 'sns'
  | 'bucket'
  | 'folder'
  | 'acl'
  | 'topics'
  | 'queues'
  | 'functionArn'
  | 'inlineUnder'
  | 'maxMessageBytes'
  | 'chainId'
  | 'attributes'
  | 'groupId'
  | 'ajson'
  | 'alsoCallbacks'
  | 'events'
>;

/** Options of {@link sendGroup}: those of a group, and those of `sendTask`, which apply to all branches. */
export interface SendGroupOptions extends SharedOptions, GroupOptions {
  /** Sends the deadline. Default: a client that is made on first use and shared. */
  sqs?: AwsClient;
  /** The task that is told when a branch, or a task after the group, has failed for good. Default: none. */
  onError?: string | undefined;
}

/** The ids of a group that was sent. */
export interface SentGroup {
  /** The id of the group. */
  readonly groupId: string;
  /** Identifies the chain. It travels with all branches, and with the tasks after them. */
  readonly chainId: string;
}

const fifoId = text('1 to 128 letters, digits and punctuation characters', /^[!-~]{1,128}$/);

const optionChecks = {
  ...groupOptionChecks,
  s3: awsClient('S3Client'),
  sns: awsClient('SNSClient'),
  sqs: awsClient('SQSClient'),
  bucket: bucketName,
  folder: folderName,
  acl: text('a canned ACL'),
  topics: either(func, object),
  queues: either(func, object),
  functionArn: text('an ARN', /^arn:/),
  inlineUnder: whole(0),
  maxMessageBytes: whole(1),
  chainId: text('1 to 128 letters, digits and "_.:-"', chainIdPattern),
  attributes: object,
  groupId: fifoId,
  ajson: withMethod('dumps', 'a registry'),
  alsoCallbacks: listOf(text('the name of a task, or a chain')),
  events: eventTargets,
  tasks: object,
} as const;

/**
 * Sends a group of tasks side by side, and the task `then` once all are done, with `{ results }` in the order of the
 * branches. The workers of the branches need `callbackPublisher`, with the same bucket.
 *
 * All tasks are checked first. If a callback, arguments or attributes are bad, nothing is stored or sent. If sending fails
 * after that, some branches may have been sent, and the group never ends: send it again as a new group.
 *
 * With `tasks` of `defineTasks`, a call compiles only if the arguments fit the branches, and the results fit `then`.
 *
 * @param tasks the branches, at most 100,000
 * @throws OptionError, CallbackError, TaskArgumentsError, AjsonError, StoredDataError, PublishError
 * @throws AlgernonError `TOPIC_NOT_FOUND`
 * @example
 * const { groupId } = await sendGroup(
 *   images.map((image) => ({ task_name: 'thumb', task_kwargs: { image } })),
 *   { then: 'album', functionArn: context.invokedFunctionArn },
 * );
 */
export async function sendGroup<
  const T extends TaskDefinitions = TaskDefinitions,
  const B extends DefinedBranch<T> = DefinedBranch<T>,
  const Name extends keyof T & string = keyof T & string,
  const F extends Failures = 'wait',
  const D extends number | undefined = undefined,
  const P extends ResultForm = 'values',
>(
  tasks: readonly B[] & FittingBranches<T, B>,
  options: DefinedGroup<SendGroupOptions, T, B, Name, F, D, P>,
): Promise<SentGroup> {
  // The compiler has checked their types.
  return sendBranches(tasks as readonly Task<unknown>[], options as GroupToSend);
}

type GroupToSend = SendGroupOptions & { readonly tasks?: TaskDefinitions | undefined };

async function sendBranches(tasks: readonly Task<unknown>[], options: GroupToSend): Promise<SentGroup> {
  checkOptions('sendGroup', options, optionChecks);
  checkAttributes('sendGroup', options);
  checkGroup('sendGroup', tasks, options);
  const { s3, sns, sqs, bucket, folder, acl, topics, functionArn, groupId: messageGroup } = options;
  const { inlineUnder = 131_072, maxMessageBytes = 262_144, ajson = sharedAjson } = options;
  const { failures = 'wait', onError, alsoCallbacks = [], attributes = {} } = options;
  const carried = currentScope()?.task?.outgoingAttributes;
  const running = carried?.[chainIdName] ?? currentTask()?.chainId;
  const chainId = options.chainId ?? attributes[chainIdName] ?? running ?? randomUUID();
  const shared = { ...carried, ...attributes, [chainIdName]: chainId };
  // `then` takes the place of a task that was sent with these options.
  const received = extraAttributes(options.then, { alsoCallbacks, onError });
  const extra = groupAttributes(received, failures === 'wait' ? onError : undefined);
  const prepare = prepareGroup(
    tasks,
    { ...options, onError: failures === 'fail' ? onError : undefined },
    {
      topics,
      queues: options.queues,
      home: functionArn,
      callback: undefined,
      branchAttributes: { ...shared, ...extra.branch },
      attributes: { ...shared, ...extra.then },
      messageGroup,
      dumps: (value) => ajson.dumps(value),
      storeArguments: argumentsStore({
        store: s3ObjectStore({ s3, acl }),
        bucket,
        folder,
        inlineUnder,
        pieces: (value) => [ajson.dumps(value)],
      }),
      maxMessageBytes,
      definitions: options.tasks,
    },
  );
  const groups = awsGroups({
    s3,
    sqs,
    publisher: snsPublisher({ sns, maxMessageBytes }),
    bucket,
    acl,
    maxMessageBytes,
    // A new group has not expired.
    expiryDays: Number.POSITIVE_INFINITY,
    owner: 'sendGroup',
  });
  const report = openSentReport('sendGroup', options.events);
  try {
    const { id } = await groups.start(groupHashOf([randomUUID()]), prepare, {
      report: report && ((fact) => reportBranches(report, chainId, fact)),
    });
    return { groupId: id, chainId };
  } finally {
    await report?.flush();
  }
}

function reportBranches(report: SentReport, chainId: string, fact: GroupFact): void {
  if (fact.type === 'published') for (const message of fact.messages) report.add({ ...message, chainId });
}
