import type { GroupAccess } from '../../core/groups/groupAccess.ts';
import type { TaskMessage } from '../../core/tasks/taskPublisher.ts';

/** A call of the code under test to the outside. */
export type Call =
  | { readonly kind: 'read'; readonly key: string }
  | { readonly kind: 'create'; readonly key: string; readonly text: string }
  | { readonly kind: 'publish'; readonly messages: readonly string[] };

/** Handles one message. The code under test, which gets everything from `access`. */
export type Program = (access: GroupAccess, message: TaskMessage) => Promise<void>;

export interface Scenario {
  /** The messages that there are at the start. */
  readonly messages: readonly TaskMessage[];
  /** The objects that there are at the start. */
  readonly objects?: ReadonlyMap<string, string>;
  /** The program of a message. Undefined for messages that the group sends at its end, such as `then`. */
  programFor(message: TaskMessage): Program | undefined;
  /** How many deliveries of a message may run at the same time. Default 1. */
  readonly deliveries?: number;
  /** Whether a message may be delivered after it was acknowledged. Default false. */
  readonly afterwards?: boolean;
  /** Whether a message may go to the dead-letter queue after it was killed. Default: none. */
  mayBury?(message: TaskMessage): boolean;
  /** Whether calls may also fail with an error that the program sees. To it, that is like being killed. Default false. */
  readonly errors?: boolean;
  /** Checks the messages that the group has sent at its end, once everything is acknowledged. Returns the fault. */
  atEnd(ends: readonly string[]): string | undefined;
  /** Checks a message that the group sends at its end, and returns a text that must be the same for each copy. */
  check(message: TaskMessage, objects: ReadonlyMap<string, string>): { fault?: string; content: string };
  /** Whether a create replaces an object: a broken store, to see that the checks notice. */
  overwrites?(key: string): boolean;
}

export interface Exploration {
  readonly states: number;
  readonly steps: number;
  /** The shortest trace to a wrong state; undefined if there is none. */
  readonly fault: { readonly reason: string; readonly trace: readonly string[] } | undefined;
}

/** A program after some answers: the same code with the same answers makes the same next call. */
interface Point {
  readonly id: number;
  readonly message: number;
  readonly answers: readonly Answer[];
  next: Call | 'done' | 'failed' | undefined;
  readonly children: Map<string, Point>;
}

type Answer = { readonly value: unknown } | { readonly error: Error };

interface Mail {
  readonly message: number;
  /** The points of the deliveries. */
  readonly points: readonly Point[];
  /** Whether it is in its queue. */
  readonly isThere: boolean;
}

interface State {
  readonly objects: Objects;
  readonly mail: readonly Mail[];
  readonly ends: readonly number[];
  readonly contents: readonly string[];
  readonly parent: State | undefined;
  readonly label: string;
}

interface Objects {
  readonly id: number;
  readonly map: ReadonlyMap<string, string>;
  readonly after: Map<string, Objects>;
}

/** A point whose program must run before the exploration goes on. */
class Unresolved extends Error {
  readonly point: Point;
  constructor(point: Point) {
    super();
    this.point = point;
  }
}

const transient = new Error('503: try again');

/**
 * Visits every state that programs, faults and deliveries can lead to, breadth first. Between any two calls of a delivery, all
 * other deliveries may make theirs. Each call may also be the last one of its delivery, before or after it has taken effect;
 * its answer may be lost, with or without a repetition by the client; and a message that is not acknowledged comes back.
 */
export async function explore(scenario: Scenario, maxStates = 3_000_000): Promise<Exploration> {
  const { deliveries = 1, afterwards = false } = scenario;
  const messages: TaskMessage[] = [];
  const messageIds = new Map<string, number>();
  const programs: (Program | undefined)[] = [];
  const roots: Point[] = [];
  let pointCount = 0;
  /** An error that no fault explains. In production, its message would be dead-lettered. */
  let unexpected: unknown;

  const newPoint = (message: number, answers: readonly Answer[]): Point => ({
    id: pointCount++,
    message,
    answers,
    next: undefined,
    children: new Map(),
  });
  const idOf = (message: TaskMessage): number => {
    const text = JSON.stringify(message);
    const known = messageIds.get(text);
    if (known !== undefined) return known;
    const id = messages.push(message) - 1;
    messageIds.set(text, id);
    programs.push(scenario.programFor(message));
    roots.push(newPoint(id, []));
    return id;
  };

  const stores = new Map<string, Objects>();
  const intern = (map: ReadonlyMap<string, string>): Objects => {
    const text = JSON.stringify([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
    const known = stores.get(text);
    if (known) return known;
    const objects = { id: stores.size, map, after: new Map() };
    stores.set(text, objects);
    return objects;
  };

  const resolveNext = async (point: Point): Promise<void> => {
    const program = programs[point.message] as Program;
    let answered = 0;
    const stopped = new Promise<Call>((stop) => {
      const ask = (call: Call): Promise<never> => {
        const answer = point.answers[answered++];
        if (!answer) {
          stop(call);
          return new Promise(() => {});
        }
        if ('error' in answer) return Promise.reject(answer.error);
        return Promise.resolve(answer.value as never);
      };
      const publish = async (sent: readonly TaskMessage[]) => {
        await ask({ kind: 'publish', messages: sent.map((message) => JSON.stringify(message)) });
        return [];
      };
      const access: GroupAccess = {
        store: {
          read: ({ key }) => ask({ kind: 'read', key }),
          create: ({ key }, text) => ask({ kind: 'create', key, text }),
        },
        bucket: () => 'b',
        now: () => 1_700_000_000_000,
        newName: () => `of${point.message}`,
        publish,
        async publishLater(callback) {
          await publish([{ topicArn: 'gather', message: callback }]);
        },
        warn: () => {},
        maxMessageBytes: 262_144,
        expirySeconds: 1e9,
        concurrency: 1,
        plans: new Map(),
      };
      program(access, messages[point.message] as TaskMessage).then(
        () => stop('done' as never),
        (error) => {
          if (error !== transient) unexpected ??= error;
          stop('failed' as never);
        },
      );
    });
    point.next = await stopped;
  };

  const child = (point: Point, answer: Answer): Point => {
    const key = 'error' in answer ? '!' : JSON.stringify(answer.value);
    let found = point.children.get(key);
    if (!found) {
      found = newPoint(point.message, [...point.answers, answer]);
      point.children.set(key, found);
    }
    if (found.next === undefined) throw new Unresolved(found);
    return found;
  };
  const answerTo = (call: Call, objects: Objects): Answer | undefined => {
    if (call.kind === 'publish') return undefined;
    const text = objects.map.get(call.key);
    if (text === undefined || scenario.overwrites) return undefined;
    return { value: call.kind === 'read' ? { text, version: 'v' } : undefined };
  };
  /**
   * Answers the calls whose answer can no longer change, since an object is never replaced. It makes no difference to others
   * when such a call is made, and being killed around it is the same as being killed before the next one.
   */
  const settle = (point: Point, objects: Objects): Point => {
    let settled = point;
    for (;;) {
      const call = settled.next as Call | 'done' | 'failed';
      const answer = typeof call === 'string' ? undefined : answerTo(call, objects);
      if (!answer) return settled;
      settled = child(settled, answer);
    }
  };

  const visited = new Set<string>();
  let queue: State[] = [];
  let steps = 0;
  let fault: Exploration['fault'];
  const traceOf = (state: State | undefined): string[] =>
    state?.parent ? [...traceOf(state.parent), state.label] : [];
  const fail = (reason: string, state: State) => {
    fault ??= { reason, trace: traceOf(state) };
  };

  const push = (state: State): void => {
    steps += 1;
    const mail = state.mail.map(
      ({ message, points, isThere }) => `${message}:${points.map(({ id }) => id)}${isThere ? '' : '.'}`,
    );
    const key = `${state.objects.id}|${mail.join(';')}|${state.ends}|${state.contents.length}`;
    if (visited.has(key)) return;
    visited.add(key);
    const isOver = state.mail.every(
      ({ message, points, isThere }) => !isThere && points.every((point) => point === roots[message]),
    );
    if (isOver) {
      const reason = scenario.atEnd(state.ends.map((id) => (messages[id] as TaskMessage).message));
      if (reason) fail(reason, state);
    }
    queue.push(state);
  };

  const withMail = (state: State, ids: readonly number[]): Pick<State, 'mail' | 'ends' | 'contents'> => {
    let { mail, ends, contents } = state;
    for (const id of ids) {
      const message = messages[id] as TaskMessage;
      if (programs[id]) {
        if ((roots[id] as Point).next === undefined) throw new Unresolved(roots[id] as Point);
        if (mail.some((other) => other.message === id)) {
          mail = mail.map((other) => (other.message === id ? { ...other, isThere: true } : other));
        } else {
          const points = Array.from({ length: deliveries }, () => roots[id] as Point);
          mail = [...mail, { message: id, points, isThere: true }].sort((a, b) => a.message - b.message);
        }
        continue;
      }
      const { fault: reason, content } = scenario.check(message, state.objects.map);
      const text = `${message.message.slice(0, 60)} ${content}`;
      if (!ends.includes(id)) ends = [...ends, id].sort();
      if (!contents.includes(text)) contents = [...contents, text];
      if (reason) fail(reason, state);
    }
    return { mail, ends, contents };
  };

  const advance = (state: State, at: number, delivery: number, point: Point, label: string): void => {
    const { message, points, isThere } = state.mail[at] as Mail;
    const put = (next: Point, there: boolean, text: string) => {
      const moved = points.with(delivery, next).sort((a, b) => a.id - b.id);
      const mail = state.mail.with(at, { message, points: moved, isThere: there });
      push({ ...state, mail, label: text });
    };
    const root = roots[message] as Point;
    if (point.next === 'done') {
      put(root, false, `${label}, acknowledged`);
      // The acknowledgement may be lost.
      if (isThere) put(root, true, `${label}, not acknowledged`);
    } else put(point.next === 'failed' ? root : point, isThere, label);
  };

  const expand = (state: State, at: number, delivery: number): void => {
    const { message, points, isThere } = state.mail[at] as Mail;
    const from = points[delivery] as Point;
    const root = roots[message] as Point;
    if (from === root && !isThere && !afterwards) return;
    // Deliveries at the same point are alike.
    if (delivery > 0 && points[delivery - 1] === from) return;
    const point = settle(from, state.objects);
    const call = point.next as Call | 'done' | 'failed';
    if (from === root && isThere && scenario.mayBury?.(messages[message] as TaskMessage)) {
      const mail = state.mail.with(at, { message, points, isThere: false });
      push({ ...state, mail, parent: state, label: `${message} dead-lettered` });
    }
    const go = (base: State, answer: Answer | undefined, label: string) => {
      const next = answer ? settle(child(point, answer), base.objects) : root;
      advance({ ...base, parent: state }, at, delivery, next, `${message} ${label}`);
    };
    if (typeof call === 'string') {
      advance({ ...state, parent: state }, at, delivery, point, `${message} ends`);
      return;
    }
    if (from !== root) go(state, undefined, `killed before ${shown(call)}`);
    if (scenario.errors && from === root) go(state, { error: transient }, `${shown(call)}: 503`);
    if (call.kind === 'read') {
      const text = state.objects.map.get(call.key);
      go(state, { value: text === undefined ? undefined : { text, version: 'v' } }, shown(call));
      return;
    }
    if (call.kind === 'create') {
      const old = state.objects.map.get(call.key);
      if (old !== undefined && !scenario.overwrites?.(call.key)) {
        go(state, { value: undefined }, `${shown(call)}: exists`);
        return;
      }
      const objects = withObject(state.objects, call.key, call.text);
      const after = { ...state, objects };
      if (old !== undefined && old !== call.text && state.ends.length > 0) {
        fail('a result has changed after the join', { ...after, parent: state, label: shown(call) });
      }
      go(after, { value: 'v' }, shown(call));
      go(after, { value: undefined }, `${shown(call)}: answer lost, repeated`);
      go(after, undefined, `killed after ${shown(call)}`);
      if (scenario.errors) go(after, { error: transient }, `${shown(call)}: answer lost`);
      return;
    }
    const ids = call.messages.map((text) => idOf(JSON.parse(text) as TaskMessage));
    for (let sent = 0; sent <= ids.length; sent += 1) {
      const label = `${message} ${shown(call)}, ${sent} sent`;
      const after = { ...state, ...withMail({ ...state, parent: state, label }, ids.slice(0, sent)) };
      if (sent === ids.length) go(after, { value: undefined }, shown(call));
      if (sent > 0) go(after, undefined, `killed after ${shown(call)}, ${sent} sent`);
      if (scenario.errors) go(after, { error: transient }, `${shown(call)}, ${sent} sent, answer lost`);
    }
  };
  const withObject = (objects: Objects, key: string, text: string): Objects => {
    const step = `${key} ${text}`;
    let after = objects.after.get(step);
    if (!after) {
      after = intern(new Map(objects.map).set(key, text));
      objects.after.set(step, after);
    }
    return after;
  };
  /** Repeats a part of the exploration until every program that it needs has run. Repeating it changes nothing. */
  const resolving = async <T>(work: () => T): Promise<T> => {
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (!(error instanceof Unresolved)) throw error;
        await resolveNext(error.point);
      }
    }
  };

  const first: State = {
    objects: intern(scenario.objects ?? new Map()),
    mail: [],
    ends: [],
    contents: [],
    parent: undefined,
    label: '',
  };
  await resolving(() => push({ ...first, ...withMail(first, scenario.messages.map(idOf)) }));
  while (queue.length > 0 && !fault && visited.size < maxStates) {
    const layer = queue;
    queue = [];
    for (const state of layer) {
      if (unexpected) fail(`a delivery failed: ${String(unexpected)}`, state);
      if (state.contents.length > 1) fail(`two joins: ${state.contents.join(' and ')}`, state);
      if (fault) break;
      const expandAll = () => {
        for (let at = 0; at < state.mail.length; at += 1) {
          for (let delivery = 0; delivery < deliveries; delivery += 1) expand(state, at, delivery);
        }
      };
      try {
        expandAll();
      } catch (error) {
        if (!(error instanceof Unresolved)) throw error;
        await resolveNext(error.point);
        await resolving(expandAll);
      }
    }
  }
  if (!fault && visited.size >= maxStates) throw new Error(`more than ${maxStates} states`);
  return { states: visited.size, steps, fault };
}

function shown(call: Call): string {
  if (call.kind === 'publish') return `publish ${call.messages.length}`;
  return `${call.kind} ${call.key.replace(/groups\/\w+\//, '')}`;
}
