import type { buildApp } from 'fauxqs';

type App = ReturnType<typeof buildApp>;

/** A write that is under way, and whether a delete of the same object has finished since it began. */
interface Write {
  isConflicted: boolean;
}

interface Refusal {
  status: number;
  code: string;
  message: string;
}

/**
 * Adds the conditional writes of S3 to fauxqs: `If-None-Match: *` and `If-Match` for PutObject and
 * CompleteMultipartUpload, `If-Match` for DeleteObject. An unmet condition is answered with 412, a missing object with
 * 404, and a write during which the object was deleted with 409.
 *
 * The writes of an object wait for each other, so that no other write comes between a check and its write.
 */
export function addConditionalWrites(app: App): void {
  const lock = keyedLock();
  const underWay = new Map<string, Set<Write>>();
  const writes = new WeakMap<object, Write>();
  const releases = new WeakMap<object, () => void>();

  const finish = (request: object, key: string) => {
    releases.get(request)?.();
    releases.delete(request);
    const others = underWay.get(key);
    const write = writes.get(request);
    if (write) others?.delete(write);
    if (others?.size === 0) underWay.delete(key);
  };

  app.addHook('onRequest', async (request) => {
    if (!isObjectWrite(request) || !conditionsOf(request.headers)) return;
    const key = keyOf(request.url);
    const write = { isConflicted: false };
    writes.set(request, write);
    underWay.set(key, (underWay.get(key) ?? new Set()).add(write));
  });

  app.addHook('preHandler', async (request, reply) => {
    if (!isObjectWrite(request)) return;
    releases.set(request, await lock(keyOf(request.url)));
    const conditions = conditionsOf(request.headers);
    if (!conditions) return;
    const path = pathOf(request.url);
    const etag = (await headOf(app, path))?.etag as string | undefined;
    const refusal = writes.get(request)?.isConflicted ? conflict : refusalOf(conditions, etag);
    if (!refusal) return;
    // fauxqs answers for a missing bucket.
    if (etag === undefined && !(await headOf(app, `/${path.split('/')[1]}`))) return;
    const { status, code, message } = refusal;
    reply.code(status).header('content-type', 'application/xml');
    return reply.send(
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
    );
  });

  app.addHook('onSend', async (request, reply) => {
    if (!isObjectWrite(request)) return;
    const key = keyOf(request.url);
    if (request.method === 'DELETE' && reply.statusCode < 300) {
      for (const write of underWay.get(key) ?? []) write.isConflicted = true;
    }
    finish(request, key);
  });

  app.addHook('onRequestAbort', async (request) => finish(request, keyOf(request.url)));
}

async function headOf(app: App, url: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { statusCode, headers } = await app.inject({ method: 'HEAD', url });
  return statusCode === 200 ? headers : undefined;
}

const conflict: Refusal = {
  status: 409,
  code: 'ConditionalRequestConflict',
  message: 'The conditional request cannot succeed due to a conflicting operation against this resource.',
};

const unmet: Refusal = {
  status: 412,
  code: 'PreconditionFailed',
  message: 'At least one of the pre-conditions you specified did not hold',
};

const missing: Refusal = { status: 404, code: 'NoSuchKey', message: 'The specified key does not exist.' };

const notImplemented: Refusal = {
  status: 501,
  code: 'NotImplemented',
  message: 'A header you provided implies functionality that is not implemented',
};

interface Conditions {
  ifMatch: string | undefined;
  ifNoneMatch: string | undefined;
}

function refusalOf({ ifMatch, ifNoneMatch }: Conditions, etag: string | undefined): Refusal | undefined {
  if (ifNoneMatch !== undefined && (ifNoneMatch !== '*' || ifMatch !== undefined)) return notImplemented;
  if (ifNoneMatch === '*') return etag === undefined ? undefined : unmet;
  if (etag === undefined) return missing;
  return ifMatch === '*' || unquoted(ifMatch) === unquoted(etag) ? undefined : unmet;
}

function conditionsOf(headers: Readonly<Record<string, unknown>>): Conditions | undefined {
  const ifMatch = headers['if-match'] as string | undefined;
  const ifNoneMatch = headers['if-none-match'] as string | undefined;
  return ifMatch === undefined && ifNoneMatch === undefined ? undefined : { ifMatch, ifNoneMatch };
}

function unquoted(etag: string | undefined): string | undefined {
  return etag?.replace(/^"(.*)"$/, '$1');
}

/** Whether a request creates, replaces or deletes an object. A part of an upload does not. */
function isObjectWrite({ method, url }: { method: string; url: string }): boolean {
  if (method !== 'PUT' && method !== 'POST' && method !== 'DELETE') return false;
  if (!/^\/[^/?]+\/[^?]/.test(url) || url.startsWith('/_fauxqs/')) return false;
  const query = new URLSearchParams(url.split('?')[1]);
  if (method === 'POST') return query.has('uploadId');
  return !query.has('uploadId');
}

function pathOf(url: string): string {
  return url.split('?')[0] as string;
}

/** Clients differ in the characters that they escape. */
function keyOf(url: string): string {
  return decodeURIComponent(pathOf(url));
}

/** Makes a function that waits until no other caller holds the key, and resolves to its release. */
function keyedLock(): (key: string) => Promise<() => void> {
  const tails = new Map<string, Promise<void>>();
  return async (key) => {
    const before = tails.get(key);
    const { promise, resolve } = Promise.withResolvers<void>();
    tails.set(key, promise);
    await before;
    return () => {
      if (tails.get(key) === promise) tails.delete(key);
      resolve();
    };
  };
}
