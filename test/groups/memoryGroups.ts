import type { GroupAccess } from '../../core/groups/groupAccess.ts';
import { type Groups, openGroups } from '../../core/groups/openGroups.ts';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';

export interface MemoryGroups {
  readonly groups: Groups;
  readonly objects: Map<string, string>;
  readonly sent: TaskMessage[];
  readonly later: { callback: string; seconds: number }[];
  readonly reads: string[];
  readonly creates: string[];
  readonly warnings: string[];
}

/** Groups in memory, for what needs neither S3 nor time. */
export function memoryGroups(over: Partial<GroupAccess> = {}): MemoryGroups {
  const objects = new Map<string, string>();
  const made = {
    objects,
    sent: [] as TaskMessage[],
    later: [] as { callback: string; seconds: number }[],
    reads: [] as string[],
    creates: [] as string[],
    warnings: [] as string[],
  };
  let names = 0;
  const groups = openGroups({
    store: {
      async read({ key }) {
        made.reads.push(key);
        const text = objects.get(key);
        return text === undefined ? undefined : { text, version: 'v' };
      },
      async create({ key }, text) {
        made.creates.push(key);
        if (objects.has(key)) return undefined;
        objects.set(key, text);
        return 'v';
      },
    },
    bucket: () => 'b',
    now: () => 1_700_000_000_000,
    newName: () => `name${names++}`,
    async publish(messages) {
      made.sent.push(...messages);
      return messages.map((_, index) => ({ messageId: `sns-${made.sent.length - messages.length + index}` }));
    },
    publishLater: async (callback, _, seconds) => void made.later.push({ callback, seconds }),
    warn: (message) => made.warnings.push(message),
    maxMessageBytes: 262_144,
    expirySeconds: 29 * 86_400,
    concurrency: 16,
    ...over,
  });
  return { ...made, groups };
}
