import { letHookRead } from './settledBatch.ts';

/** The part of Middy's request that holds the answer. */
export interface RespondingRequest {
  event: unknown;
  response?: unknown;
  error?: unknown;
}

/** What is known of an invocation beyond its hooks. */
export interface WatchedRequest {
  /** Whether an answer is not to be taken. */
  refuses(this: void, response: unknown): boolean;
  /** Called with each answer as it is set, as long as nothing has failed. */
  readonly listeners: ((response: unknown) => void)[];
  /** Does what is to be done at the end, where it is not done yet: the last given first. */
  end(): Promise<void>;
}

interface Watched extends WatchedRequest {
  readonly ends: (() => Promise<void>)[];
  readonly answered: (() => void)[];
}

const watched = new WeakMap<object, Watched>();

/**
 * Has something done when an invocation is over, once, however it ends.
 *
 * Middy's hooks alone do not tell: a `before` that returns, skips every `after`; an `after` or an `onError` that
 * returns or throws, skips those that follow it. On these ways out Middy still sets `request.response` or
 * `request.error`, so that is where the end is seen. An early answer waits for the work; an error thrown by an
 * `onError` cannot.
 *
 * @param work must not throw
 * @returns does the work now, for the middleware's own `after` and `onError`
 */
export function atEnd(request: RespondingRequest, work: () => void | Promise<void>): () => Promise<void> {
  let ended: Promise<void> | undefined;
  const end = () => {
    ended ??= (async () => work())();
    return ended;
  };
  watch(request).ends.push(end);
  return end;
}

/**
 * Has something done when Middy takes the answer: after all hooks that do not wait between reading and setting it, and
 * before whoever called the handler goes on. For a middleware's own `after` and `onError`, whose place among those of
 * the others is any.
 *
 * @param work may be called more than once; must not throw
 */
export function whenAnswered(request: RespondingRequest, work: () => void): void {
  watch(request).answered.push(work);
}

/** Sees to it that the answer of an invocation, and its end, are seen. */
export function watchRequest(request: RespondingRequest): WatchedRequest {
  return watch(request);
}

function watch(request: RespondingRequest): Watched {
  const known = watched.get(request);
  if (known) return known;
  let { response, error } = request;
  let ending: Promise<void> | undefined;
  const ends: (() => Promise<void>)[] = [];
  const isEarly = () => 'earlyResponse' in request;

  const one: Watched = {
    refuses: () => false,
    listeners: [],
    answered: [],
    ends,
    async end() {
      for (const end of ends.toReversed()) await end();
    },
  };
  const startEnding = () => {
    ending ??= one.end().finally(() => {
      ending = undefined;
    });
  };

  Object.defineProperties(request, {
    response: {
      configurable: true,
      enumerable: true,
      get() {
        for (const work of one.answered) queueMicrotask(work);
        letHookRead(response);
        // An early answer is read by Middy alone, which returns it, and so waits. With an error it first asks whether
        // there is an answer.
        const waits = ending && isEarly() && (response !== undefined || error === undefined);
        return waits ? ending?.then(() => response) : response;
      },
      set(value: unknown) {
        if (!one.refuses(value)) response = value;
        // What led to it was taken, and would now count as the answer to the error.
        else if (error !== undefined) response = undefined;
        if (isEarly()) startEnding();
        else if (error === undefined) for (const listener of one.listeners) listener(response);
      },
    },
    error: {
      configurable: true,
      enumerable: true,
      get: () => error,
      set(value: unknown) {
        if (error !== undefined) startEnding();
        error = value;
      },
    },
  });
  watched.set(request, one);
  return one;
}
