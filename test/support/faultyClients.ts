import { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';

/** A call to AWS: a single attempt of the SDK. */
export interface Attempt {
  service: 's3' | 'sns' | 'sqs';
  /** The operation, such as `PublishBatch` or, for S3, the method. */
  operation: string;
  /** For S3 the path of the object, otherwise the text of the request. */
  target: string;
}

/** The fate of a call. */
export type Fault =
  | { status: number; code: string; headers?: Record<string, string> }
  /** The real response. */
  | { status: 200; headers?: Record<string, string>; body: string | Readable }
  /** No response. */
  | Error
  /** The call succeeds, but its response is lost. */
  | { lost: Error };

export type FaultOf = (attempt: Attempt) => Fault | undefined;

export interface FaultyClients {
  s3: S3Client;
  sns: SNSClient;
  sqs: SQSClient;
  /** The attempts so far. */
  attempts: Attempt[];
  destroy(): void;
}

/** Clients with injected faults below the SDK, so that its retries are real. */
export function faultyClients(
  { env }: { env: Readonly<Record<string, string>> },
  faultOf: FaultOf,
  { maxAttempts = 1 }: { maxAttempts?: number } = {},
): FaultyClients {
  const common = {
    region: env.AWS_REGION ?? '',
    endpoint: env.AWS_ENDPOINT_URL ?? '',
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    },
    maxAttempts,
  };
  const attempts: Attempt[] = [];
  const clients = {
    s3: new S3Client({ ...common, forcePathStyle: true }),
    sns: new SNSClient(common),
    sqs: new SQSClient({ ...common, useQueueUrlAsEndpoint: false }),
  };
  for (const [service, client] of Object.entries(clients)) {
    const config = client.config as unknown as { requestHandler: Handler };
    const handler = config.requestHandler;
    config.requestHandler = Object.assign(Object.create(handler), {
      async handle(request: Request, options: unknown) {
        const attempt = attemptOf(service as Attempt['service'], request);
        attempts.push(attempt);
        const fault = faultOf(attempt);
        if (fault === undefined) return handler.handle(request, options);
        if (fault instanceof Error) throw fault;
        if ('lost' in fault) {
          await handler.handle(request, options);
          throw fault.lost;
        }
        return { response: answerOf(attempt.service, fault) };
      },
    });
  }
  return {
    ...clients,
    attempts,
    destroy() {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}

interface Request {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: unknown;
}

interface Handler {
  handle(request: Request, options: unknown): Promise<{ response: object }>;
}

function attemptOf(service: Attempt['service'], { method, path, headers, body }: Request): Attempt {
  if (service === 's3') return { service, operation: method, target: decodeURIComponent(path) };
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body);
  if (service === 'sqs') {
    return { service, operation: headers['x-amz-target']?.split('.')[1] ?? '', target: text };
  }
  const form = new URLSearchParams(text);
  return { service, operation: form.get('Action') ?? '', target: decodeURIComponent(text) };
}

function answerOf(service: Attempt['service'], fault: Exclude<Fault, Error | { lost: Error }>): object {
  const { status: statusCode, headers = {} } = fault;
  if ('body' in fault) {
    const { body } = fault;
    return {
      statusCode,
      headers,
      body: typeof body === 'string' ? Readable.from([Buffer.from(body)]) : body,
    };
  }
  const { code } = fault;
  const text = {
    s3: `<Error><Code>${code}</Code><Message>${code}</Message><RequestId>1</RequestId></Error>`,
    sns: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${code}</Message></Error></ErrorResponse>`,
    sqs: JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message: code }),
  }[service];
  return { statusCode, headers, body: Readable.from([Buffer.from(text)]) };
}

export const timeOut = (): Error => Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });
export const reset = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
