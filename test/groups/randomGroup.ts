import { setImmediate as nextTurn } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import type { GroupAccess } from '../../core/groups/groupAccess.ts';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';
import { s3ConditionalStore } from '../../middlewares/aws/s3ConditionalStore.ts';
import { createRandom } from '../soak/createRandom.ts';
import { checkEnd, joinBranch, splitter } from './scenarios.ts';

export interface RandomGroupReport {
  /** The contents of all messages to `then`, each one once. */
  readonly joins: readonly string[];
  readonly early: number;
  /** How often `then` was sent. */
  readonly sent: number;
  readonly kills: number;
  readonly doubles: number;
  readonly conflicts: number;
  readonly repeated: number;
  readonly lost: number;
  readonly puts: number;
  readonly gets: number;
}

class Killed extends Error {}

/**
 * Runs one group through random interleavings of its deliveries: 10 % of them are killed, 20 % are doubled, and 5 % of the
 * writes get a 409 or are repeated by the client, which then gets a 412. The store is the one of production, above a fake S3.
 */
export async function runRandomGroup(count: number, seed: number): Promise<RandomGroupReport> {
  const random = createRandom(seed);
  const chance = (share: number) => random() < share;
  const objects = new Map<string, string>();
  const queue: TaskMessage[] = [{ topicArn: 'split', message: `split:${(seed + 1).toString(16)}:${count}` }];
  const joins = new Set<string>();
  const report = {
    early: 0,
    sent: 0,
    kills: 0,
    doubles: 0,
    conflicts: 0,
    repeated: 0,
    lost: 0,
    puts: 0,
    gets: 0,
  };
  const waiting: (() => void)[] = [];
  const names = new Map<TaskMessage, number>();

  const deliver = async (message: TaskMessage): Promise<void> => {
    let callsLeft = chance(0.1) ? Math.floor(random() * 8) : Number.POSITIVE_INFINITY;
    /** Waits for the turn of this call; the call after the last one is not made, or its answer never comes. */
    const call = async <T>(act: () => T): Promise<T> => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      callsLeft -= 1;
      if (callsLeft >= 0) return act();
      report.kills += 1;
      if (chance(0.5)) act();
      throw new Killed();
    };
    const s3 = {
      async send(command: { constructor: { name: string }; input: Record<string, string> }) {
        const { Key = '', Body = '' } = command.input;
        const isWrite = command.constructor.name === 'PutObjectCommand';
        return call(() => {
          report[isWrite ? 'puts' : 'gets'] += 1;
          const text = objects.get(Key);
          if (!isWrite) {
            if (text === undefined) throw fault(404, 'NoSuchKey');
            const bytes = Buffer.from(text);
            return { ETag: 'v', ContentLength: bytes.length, Body: [bytes] };
          }
          if (chance(0.05)) {
            report.conflicts += 1;
            throw fault(409, 'ConditionalRequestConflict');
          }
          if (text !== undefined) throw fault(412, 'PreconditionFailed');
          objects.set(Key, Body);
          if (chance(0.05)) {
            report.repeated += 1;
            throw fault(412, 'PreconditionFailed');
          }
          if (chance(0.02)) {
            report.lost += 1;
            throw fault(503, 'SlowDown');
          }
          return { ETag: 'v' };
        });
      },
    };
    const access: GroupAccess = {
      store: s3ConditionalStore({ s3: s3 as unknown as S3Client }),
      bucket: () => 'b',
      now: () => 1_700_000_000_000,
      newName: () => Math.floor(random() * 1e9).toString(36),
      publish: (messages) =>
        call(() => {
          const isPartial = chance(0.05);
          for (const sent of isPartial ? messages.filter(() => chance(0.5)) : messages) receive(sent);
          return isPartial ? [{ error: new Error('SNS is down') }] : [];
        }),
      publishLater: async () => {},
      warn: () => {},
      maxMessageBytes: 262_144,
      expirySeconds: 1e9,
      concurrency: 16,
      plans: new Map(),
    };
    try {
      if (message.topicArn === 'split') {
        // A redelivery may return another list.
        const number = names.get(message) ?? 0;
        names.set(message, number + 1);
        const list =
          number === 0
            ? message
            : {
                ...message,
                message: `${message.message.replace(/\d+$/, String(Math.max(0, count - number)))}`,
              };
        await splitter(access, list);
      } else await joinBranch(access, message, { value: `"${Math.floor(random() * 1e6)}"` });
    } catch {
      // It comes back after its visibility timeout.
      queue.push(message);
    }
  };
  const receive = (message: TaskMessage): void => {
    if (message.topicArn !== 'album') {
      queue.push(message);
      return;
    }
    report.sent += 1;
    const { content, fault: reason } = checkEnd(message, objects);
    if (reason) report.early += 1;
    joins.add(content);
  };

  let running = 0;
  const start = (message: TaskMessage) => {
    running += 1;
    void deliver(message).finally(() => {
      running -= 1;
    });
  };
  while (queue.length > 0 || running > 0) {
    while (running < 20 && queue.length > 0) {
      const [message] = queue.splice(Math.floor(random() * queue.length), 1) as [TaskMessage];
      start(message);
      if (!chance(0.2)) continue;
      report.doubles += 1;
      start(message);
    }
    await nextTurn();
    waiting.splice(Math.floor(random() * waiting.length), 1)[0]?.();
  }
  return { ...report, joins: [...joins] };
}

function fault(status: number, name: string): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });
}
