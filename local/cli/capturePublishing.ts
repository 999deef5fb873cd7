import { randomUUID } from 'node:crypto';
import type { AwsCall, Fault } from '../serverControl.ts';

/** A message that would have been published. */
export interface Published {
  readonly topicArn: string;
  readonly message: string;
}

/** Answers calls of Publish and PublishBatch as SNS does, and keeps the messages. Other calls are made. */
export function capturePublishing(): {
  readonly published: Published[];
  faults(call: AwsCall): Fault | undefined;
} {
  const published: Published[] = [];
  return {
    published,
    faults({ service, operation, input }) {
      if (service !== 'sns') return undefined;
      const form = input as Readonly<Record<string, string>>;
      const topicArn = form['TopicArn'] ?? '';
      if (operation === 'Publish') {
        published.push({ topicArn, message: form['Message'] ?? '' });
        return { status: 200, body: answer('Publish', `<MessageId>${randomUUID()}</MessageId>`) };
      }
      if (operation !== 'PublishBatch') return undefined;
      const members: string[] = [];
      for (let number = 1; ; number++) {
        const entry = `PublishBatchRequestEntries.member.${number}`;
        const id = form[`${entry}.Id`];
        if (id === undefined) break;
        published.push({ topicArn, message: form[`${entry}.Message`] ?? '' });
        members.push(`<member><Id>${id}</Id><MessageId>${randomUUID()}</MessageId></member>`);
      }
      const result = `<Successful>${members.join('')}</Successful><Failed/>`;
      return { status: 200, body: answer('PublishBatch', result) };
    },
  };
}

function answer(operation: string, result: string): string {
  return `<${operation}Response><${operation}Result>${result}</${operation}Result></${operation}Response>`;
}
