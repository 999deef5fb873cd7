import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PublishCommand } from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import type { LocalAws, QueueAddress } from '../../local/index.ts';

/** A promise with its resolve and reject. */
export function defer<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
} {
  let settle: { resolve: (value: T) => void; reject: (reason: unknown) => void } | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  if (settle === undefined) throw new Error('a promise calls its executor at once');
  return { promise, ...settle };
}

/** A promise and its resolve. */
export function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = defer<void>();
  return { opened: promise, open: resolve };
}

export async function publish(
  aws: LocalAws,
  topicArn: string,
  message: string,
  extra: Partial<PublishCommand['input']> = {},
): Promise<void> {
  await aws.sns.send(new PublishCommand({ TopicArn: topicArn, Message: message, ...extra }));
}

/** Sends messages directly to a queue, in as few calls as possible. */
export async function enqueue(
  aws: LocalAws,
  queue: Pick<QueueAddress, 'url'>,
  bodies: readonly string[],
): Promise<void> {
  for (let start = 0; start < bodies.length; start += 10) {
    const Entries = bodies
      .slice(start, start + 10)
      .map((MessageBody, index) => ({ Id: String(index), MessageBody }));
    await aws.sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }));
  }
}

export async function countOf(
  aws: LocalAws,
  queue: QueueAddress,
): Promise<{ waiting: number; hidden: number }> {
  const { Attributes } = await aws.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ['All'] }),
  );
  return {
    waiting: Number(Attributes?.ApproximateNumberOfMessages),
    hidden: Number(Attributes?.ApproximateNumberOfMessagesNotVisible),
  };
}

/** Runs the source of a module in a child process, in the root of the repository. */
export async function runNode(
  source: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; output: string }> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', source],
    {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      // NODE_OPTIONS is how the mutation tester changes code in other processes.
      env: { PATH: process.env.PATH ?? '', NODE_OPTIONS: process.env['NODE_OPTIONS'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A child that hangs must not outlive its test.
      timeout: 120_000,
      killSignal: 'SIGKILL',
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  const { promise, resolve, reject } = defer<number | null>();
  child.on('error', reject);
  child.on('close', resolve);
  return { code: await promise, output };
}

/** The start of a script for {@link runNode}: a package counts as not installed, as long as `missing` is its name. */
export const withoutPackage = (name: string): string => `
  import { registerHooks } from 'node:module';
  let missing = '${name}';
  registerHooks({ resolve(name, context, next) {
    if (name !== missing) return next(name, context);
    throw Object.assign(new Error("Cannot find package '" + name + "'"), { code: 'ERR_MODULE_NOT_FOUND' });
  } });`;
