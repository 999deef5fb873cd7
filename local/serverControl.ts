import type { buildApp } from 'fauxqs';
import type { LocalAws } from './startLocalAws.ts';

type App = ReturnType<typeof buildApp>;
type Request = Parameters<Parameters<App['addHook']>[1]>[0] extends infer R ? R & HttpRequest : never;

interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
  readonly raw: { readonly socket: { destroy(): void } };
}

/** A call that a client makes to local AWS; the SDK's retries are calls too. */
export interface AwsCall {
  /** The service that is called. */
  readonly service: 's3' | 'sns' | 'sqs';
  /** The operation of the SDK, such as `PutObject` or `PublishBatch`. */
  readonly operation: string;
  /** The name of the topic or of the queue; `bucket/key` for S3. */
  readonly target: string;
  /** Counts the calls with this service, operation and target, from 1. */
  readonly count: number;
  /** The parameters of a call to SNS (as a form) or SQS (as JSON); empty for S3. */
  readonly input: Readonly<Record<string, unknown>>;
}

/**
 * The fate of a call: AWS refuses it, or gives this answer, and the call is not made; the connection breaks before the call
 * is made (an `Error`); or it breaks after that, so that only the answer is lost.
 */
export type Fault =
  | { readonly status: number; readonly code: string }
  | { readonly status: number; readonly body: string }
  | Error
  | { readonly lost: true };

/** A call that never gets an answer. `onHeld` is called when it has arrived, or is made. */
export interface Held {
  readonly held: 'before' | 'after';
  onHeld(): void;
}

/** The messages of a queue of fauxqs. Changing them changes the queue. */
export interface QueueState {
  readonly delayed: { delayUntil?: number | undefined }[];
  readonly inflight: readonly { readonly receiptHandle: string; readonly visibilityDeadline: number }[];
}

/** Access to the server of local AWS, for the testing kit. */
export interface ServerControl {
  /** Decides about each call of a client that is not the kit's. */
  faults: ((call: AwsCall, body: unknown) => Fault | Held | undefined) | undefined;
  /** Called after each call that may have put messages into queues. */
  readonly listeners: Set<() => void>;
  /** The messages of a queue that are hidden or delayed. */
  inspect(queueName: string): Promise<QueueState>;
}

const controls = new WeakMap<LocalAws, ServerControl>();

/** The control of the server that `startLocalAws` started; undefined with an `endpoint`. */
export function controlOf(aws: LocalAws): ServerControl | undefined {
  return controls.get(aws);
}

export function setControl(aws: LocalAws, control: ServerControl): void {
  controls.set(aws, control);
}

/** In the user agent of clients whose calls have no faults. */
export const kitAgent = 'algernon-testing';

const lost = new WeakSet<object>();
const held = new WeakMap<object, Held>();

/** Adds hooks to a server that has not started. They do nothing until the control is used. */
export function controlServer(app: App): ServerControl {
  const counts = new Map<string, number>();
  const states = new Map<string, QueueState>();
  let inspections = 0;

  const control: ServerControl = {
    faults: undefined,
    listeners: new Set(),
    async inspect(queueName) {
      const url = `${inspectPath}${queueName}?${inspections++}`;
      await app.inject({ method: 'GET', url });
      const state = states.get(url);
      states.delete(url);
      if (!state) throw new Error(`fauxqs does not show the queue ${queueName}.`);
      return state;
    },
  };

  app.addHook('preHandler', async (request, reply) => {
    const isKit = String(request.headers['user-agent']).includes(kitAgent);
    if (!control.faults || isKit || request.url.startsWith('/_fauxqs/')) return undefined;
    const call = callOf(request as Request);
    const name = `${call.service} ${call.operation} ${call.target}`;
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    const fault = control.faults({ ...call, count }, request.body);
    if (fault === undefined) return undefined;
    if ('lost' in fault) {
      lost.add(request);
      return undefined;
    }
    if ('held' in fault && fault.held === 'after') {
      held.set(request, fault);
      return undefined;
    }
    if (!('status' in fault)) {
      reply.hijack();
      if ('held' in fault) fault.onHeld();
      else request.raw.socket.destroy();
      return reply;
    }
    const { type, body } = answerOf(call.service, fault);
    return reply.code(fault.status).header('content-type', type).send(body);
  });

  app.addHook('preSerialization', async (request, _, payload) => {
    // Before fauxqs writes its answer, the answer holds the messages themselves.
    if (request.url.startsWith(inspectPath)) {
      states.set(request.url, (payload as { messages: QueueState }).messages);
      return {};
    }
    return payload;
  });

  app.addHook('onResponse', async (request) => {
    if (control.listeners.size === 0 || !movesMessages.test(callOf(request as Request).operation)) return;
    for (const listener of control.listeners) listener();
  });
  return control;
}

/** Keeps answers back. Its hook must be the last one, since those after it would not run. */
export function controlAnswers(app: App): void {
  app.addHook('onSend', async (request, _, payload) => {
    if (lost.has(request)) request.raw.socket.destroy();
    const hold = held.get(request);
    if (!hold) return payload;
    hold.onHeld();
    return new Promise<never>(() => {});
  });
}

const inspectPath = '/_fauxqs/queues/';
const movesMessages = /^(?:Publish|SendMessage|ChangeMessageVisibility)/;

function callOf({ method, url, headers, body }: HttpRequest): Omit<AwsCall, 'count'> {
  const input = Buffer.isBuffer(body) ? {} : (Object(body) as Record<string, unknown>);
  const type = String(headers['content-type']);
  if (type.includes('x-amz-json')) {
    const operation = String(headers['x-amz-target']).split('.')[1] ?? '';
    const { QueueUrl = '', QueueName = '' } = input as Record<string, string>;
    return { service: 'sqs', operation, input, target: QueueUrl.split('/').at(-1) || QueueName };
  }
  if (url === '/' && type.includes('x-www-form-urlencoded')) {
    const { Action = '', TopicArn = '', Name = '' } = input as Record<string, string>;
    return { service: 'sns', operation: Action, input, target: TopicArn.split(':').at(-1) || Name };
  }
  const [path = '', query] = url.split('?');
  const operation = objectOperation(method, new URLSearchParams(query));
  return { service: 's3', operation, input: {}, target: decodeURIComponent(path).slice(1) };
}

/** The SDK names most operations of S3 in the query. */
function objectOperation(method: string, query: URLSearchParams): string {
  const name = query.get('x-id');
  if (name) return name;
  if (query.has('uploads')) return 'CreateMultipartUpload';
  if (query.has('uploadId')) return method === 'POST' ? 'CompleteMultipartUpload' : 'UploadPart';
  if (query.has('list-type')) return 'ListObjectsV2';
  if (query.has('delete')) return 'DeleteObjects';
  return { HEAD: 'HeadObject', GET: 'GetObject', PUT: 'PutObject', DELETE: 'DeleteObject' }[method] ?? method;
}

function answerOf(
  service: AwsCall['service'],
  fault: { code: string } | { body: string },
): { type: string; body: string } {
  const json = 'application/x-amz-json-1.0';
  if ('body' in fault) return { type: service === 'sqs' ? json : 'text/xml', body: fault.body };
  const { code } = fault;
  if (service === 'sqs') {
    const body = JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message: code });
    return { type: json, body };
  }
  const error = `<Code>${code}</Code><Message>${code}</Message>`;
  const body =
    service === 's3'
      ? `<Error>${error}<RequestId>1</RequestId></Error>`
      : `<ErrorResponse><Error><Type>Sender</Type>${error}</Error></ErrorResponse>`;
  return { type: 'text/xml', body };
}
