import type { ChainEvent, DeliveryFields, PublishedMessage } from '../../../core/chains/ChainEvent.ts';
import type { DeadLetter, DevTask, StreamEntry } from '../../../local/dev/protocol.ts';
import type { Script } from './servePage.ts';

const names = ['listAlbum', 'resize', 'collect', 'describe', 'notify'];

const devTasks: DevTask[] = names.map((name) => ({
  name,
  topicArn: `arn:aws:sns:us-east-1:000000000000:${name}`,
  queueUrl: `http://127.0.0.1:4566/000000000000/${name}`,
  deadLetterUrl: `http://127.0.0.1:4566/000000000000/${name}-dead-letters`,
}));

const resize = devTasks[1] as DevTask;
resize.schema = {
  type: 'object',
  properties: {
    image: { type: 'string', description: 'The key of the image' },
    width: { type: 'integer', default: 200 },
    quality: { type: 'number' },
    format: { enum: ['webp', 'png', 'avif'] },
    sharpen: { type: 'boolean' },
    tags: { type: 'array' },
  },
  required: ['image', 'width'],
};

export const runEntries: StreamEntry[] = [
  {
    kind: 'run',
    version: 1,
    startedAt: 1_790_000_000_000,
    worker: '/home/me/album/worker.ts',
    endpoint: 'http://127.0.0.1:4566',
    bucket: 'results',
  },
  { kind: 'tasks', tasks: devTasks },
];

export const depthsEntry: StreamEntry = {
  kind: 'depths',
  at: 0,
  depths: Object.fromEntries(
    names.map((name, index) => [
      name,
      { waiting: index, inFlight: 1, delayed: 0, deadLetters: name === 'resize' ? 2 : 0 },
    ]),
  ),
};

/** Collects the events of one message. */
export interface TaskEvents {
  events: StreamEntry[];
  send(at: number): TaskEvents;
  receive(at: number): TaskEvents;
  fail(at: number, message: string, durationMillis: number, delaySeconds?: number): TaskEvents;
  publish(at: number, messages: PublishedMessage[]): TaskEvents;
  succeed(at: number, durationMillis: number, pointer?: string): TaskEvents;
  join(at: number, id: string, of: number, index: number): TaskEvents;
}

export function taskEvents(chainId: string, messageId: string, taskName: string): TaskEvents {
  const events: StreamEntry[] = [];
  const receiver = `arn:aws:sqs:us-east-1:000000000000:${taskName}`;
  let attempt = 1;
  const add = (event: ChainEvent) => events.push({ kind: 'event', event });
  const delivery = (at: number): DeliveryFields => ({
    chainId,
    messageId,
    taskName,
    at,
    receiver,
    recordId: `${messageId}-r`,
    attempt,
  });
  const task: TaskEvents = {
    events,
    send(at) {
      add({ type: 'sent', chainId, messageId, taskName, at });
      return task;
    },
    receive(at) {
      add({ type: 'received', ...delivery(at) });
      add({ type: 'started', ...delivery(at + 4) });
      return task;
    },
    fail(at, message, durationMillis, delaySeconds) {
      const cause = { name: 'Error', message: 'connect ECONNREFUSED 127.0.0.1:5432', code: 'ECONNREFUSED' };
      const stack = `TypeError: ${message}\n    at resize (file:///home/me/album/worker.ts:42:11)\n    at run (node:internal:12:3)`;
      add({
        type: 'failed',
        ...delivery(at),
        durationMillis,
        error: { name: 'TypeError', message, stack, cause },
      });
      if (delaySeconds !== undefined) add({ type: 'retried', ...delivery(at), delaySeconds });
      else add({ type: 'deadLettered', ...delivery(at + 2) });
      attempt++;
      return task;
    },
    publish(at, messages) {
      add({ type: 'published', ...delivery(at), messages, durationMillis: 12 });
      return task;
    },
    succeed(at, durationMillis, pointer) {
      if (pointer) add({ type: 'stored', ...delivery(at - 14), pointer, length: 2048, durationMillis: 18 });
      add({ type: 'succeeded', ...delivery(at), durationMillis });
      return task;
    },
    join(at, id, of, index) {
      add({ type: 'joined', ...delivery(at), group: { id, of, index } });
      return task;
    },
  };
  return task;
}

const letter: DeadLetter = {
  id: 'letter-1',
  taskName: 'resize',
  chainId: 'chain-failed',
  messageId: 'm-failed',
  sentAt: Date.now() - 200_000,
  receiveCount: 3,
  reason: "TypeError: Cannot read properties of undefined (reading 'width')",
  text: '{"task_name":"resize","task_kwargs":{"image":"cat.png","width":null,"serial":12345678901234567890}}',
};

export const pointer = 'results#cache/resize-2!1790000000.5.json';

export const payload: string = JSON.stringify({
  task_name: 'resize',
  task_kwargs: {
    image: 'albums/2026/cat.png',
    taken: { _alg_class: 'datetime', value: { tz: 'UTC', timestamp: 1_577_934_245.123456 } },
    price: { _alg_class: 'decimal', value: '19.90' },
    labels: { _alg_class: 'set', value: ['cat', 'indoors'] },
    size: { _alg_class: 'tuple', value: [1920, 1080] },
    owner: { _alg_class: 'User', _alg_module: 'shop.models', value: { _name: 'Ada', _vip: true } },
    original: { _alg_class: 'StoredData', _alg_module: 'algernon.aws.snakes', value: { pointer } },
  },
  callback: 'describe',
});

/** A run with a chain in every state, at a given time. */
export function albumScript(now: number): Script {
  const start = now - 9000;
  const branches = [0, 1, 2, 3].map((index) => `m-branch-${index}`);
  const group = { id: 'g-album', of: 4 };
  const entries: StreamEntry[] = [
    ...runEntries,
    ...taskEvents('chain-album-7f3a', 'm-list', 'listAlbum')
      .send(start)
      .receive(start + 120)
      .publish(
        start + 610,
        branches.map((messageId, index) => ({
          messageId,
          taskName: 'resize',
          role: 'branch',
          group: { ...group, index },
        })),
      )
      .succeed(start + 620, 470).events,
    ...taskEvents('chain-album-7f3a', 'm-branch-0', 'resize')
      .receive(start + 700)
      .join(start + 1490, 'g-album', 4, 0)
      .succeed(start + 1500, 760, pointer).events,
    ...taskEvents('chain-album-7f3a', 'm-branch-1', 'resize')
      .receive(start + 720)
      .fail(start + 1100, 'The image service answered 503', 370, 2)
      .receive(start + 3200)
      .join(start + 4100, 'g-album', 4, 1)
      .succeed(start + 4120, 880, pointer).events,
    ...taskEvents('chain-album-7f3a', 'm-branch-2', 'resize')
      .receive(start + 760)
      .join(start + 2400, 'g-album', 4, 2)
      .succeed(start + 2420, 1600, pointer).events,
    ...taskEvents('chain-album-7f3a', 'm-branch-3', 'resize')
      .receive(start + 900)
      .join(start + 2650, 'g-album', 4, 3)
      .publish(start + 4300, [{ messageId: 'm-join', taskName: 'collect', role: 'join', group }])
      .succeed(start + 4310, 1720, pointer).events,
    ...taskEvents('chain-album-7f3a', 'm-join', 'collect')
      .receive(start + 4420)
      .publish(start + 5280, [{ messageId: 'm-describe', taskName: 'describe', role: 'callback' }])
      .succeed(start + 5300, 820, pointer).events,
    ...taskEvents('chain-album-7f3a', 'm-describe', 'describe')
      .receive(start + 5350)
      .succeed(start + 6100, 730, pointer).events,
    ...taskEvents('chain-failed', 'm-failed', 'resize')
      .send(start - 8000)
      .receive(start - 7900)
      .fail(start - 7500, 'The image service answered 503', 370, 2)
      .receive(start - 5400)
      .fail(start - 5000, "Cannot read properties of undefined (reading 'width')", 390).events,
    ...taskEvents('chain-retrying', 'm-retrying', 'resize')
      .send(now - 5000)
      .receive(now - 4500)
      .fail(now - 3000, 'The image service answered 503', 1490, 30).events,
    ...taskEvents('chain-running', 'm-running', 'describe')
      .send(now - 2000)
      .receive(now - 1900).events,
    ...taskEvents('chain-waiting', 'm-waiting', 'notify').send(now - 1000).events,
    depthsEntry,
  ];
  const at = start + 800;
  return {
    entries,
    details: {
      'm-branch-1': {
        message: {
          kind: 'message',
          chainId: 'chain-album-7f3a',
          messageId: 'm-branch-1',
          text: payload,
          length: payload.length,
          attributes: { chain_id: 'chain-album-7f3a', task_name: 'resize' },
        },
        logs: ['INFO resizing', 'WARN the service is slow', 'ERROR The image service answered 503'].map(
          (line, index) => ({
            kind: 'log',
            chainId: 'chain-album-7f3a',
            messageId: 'm-branch-1',
            at: at + index * 100,
            level: line.split(' ')[0] as string,
            message: line.slice(line.indexOf(' ') + 1),
            fields: index === 0 ? { image: 'cat.png', width: 200 } : {},
          }),
        ),
      },
    },
    objects: {
      [pointer]: { kind: 'object', pointer, text: '{"width":200,"bytes":48213}', length: 27 },
    },
    letters: [
      letter,
      { ...letter, id: 'letter-2', chainId: 'chain-other', reason: 'Error: The image service answered 503' },
    ],
  };
}
