import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AlgernonError, isAlgernonError } from '../../core/errors.ts';
import type { DevActions } from './devActions.ts';
import { readPage } from './pageFiles.ts';
import type { DevError } from './protocol.ts';
import { HttpError, readRedrive, readSend } from './requests.ts';
import type { RunLog } from './runLog.ts';
import { streamRun } from './streamRun.ts';

export interface ServeOptions {
  readonly log: RunLog;
  /** Missing: the run is shown, and nothing can be changed. */
  readonly actions?: DevActions;
  readonly port: number;
}

/** A page that shows a run. */
export interface ServedRun {
  /** The URL of the page, with its token. */
  readonly url: string;
  /** How many pages are open. */
  readonly pages: number;
  stop(): Promise<void>;
}

const csp = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const commonHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': csp,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

/**
 * Serves the page of a run and its API, to this machine only. Requests of other sites are refused by their Host and Origin, and
 * the API needs the token of the page's URL.
 */
export async function serveRun({ log, actions, port }: ServeOptions): Promise<ServedRun> {
  const token = randomBytes(24).toString('base64url');
  const streams = new Set<ServerResponse>();
  let hosts: readonly string[] = [];

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const [name, value] of Object.entries(commonHeaders)) response.setHeader(name, value);
    checkSource(request, hosts);
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (!url.pathname.startsWith('/api/')) return sendPage(request, response, url.pathname);
    const isStream = url.pathname === '/api/stream';
    checkToken(request, token, isStream ? url.searchParams.get('token') : null);
    if (!isStream) return sendJson(response, 200, await answer(request, url, log, actions));
    checkMethod(request, 'GET');
    streams.add(response);
    response.on('close', () => streams.delete(response));
    streamRun(response, log, request.headers['last-event-id']);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (response.headersSent) return void response.destroy();
      const { status, body } = errorAnswer(error);
      // The rest of a refused body is not read.
      if (status === 413) response.setHeader('connection', 'close');
      sendJson(response, status, body);
    });
  });
  server.on('clientError', (_, socket) => socket.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  // Not on other interfaces: only this machine may connect.
  server.listen(port, '127.0.0.1', resolve);
  await promise;
  const { port: actual } = server.address() as AddressInfo;
  hosts = [`127.0.0.1:${actual}`, `localhost:${actual}`];
  const stopDepths = actions ? sendDepths(log, actions, () => streams.size > 0) : () => {};
  return {
    url: `http://127.0.0.1:${actual}/?token=${token}`,
    get pages() {
      return streams.size;
    },
    async stop() {
      stopDepths();
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Another site that resolves to 127.0.0.1 has its own name in Host, and its scripts send their Origin. */
function checkSource({ headers }: IncomingMessage, hosts: readonly string[]): void {
  if (!hosts.includes(headers.host ?? '')) {
    throw new HttpError(421, 'WRONG_HOST', `This server is ${hosts[0]}.`);
  }
  const { origin } = headers;
  if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`)) {
    throw new HttpError(403, 'WRONG_ORIGIN', 'Only the page of this server may call it.');
  }
}

function checkToken({ headers }: IncomingMessage, token: string, inQuery: string | null): void {
  const given = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? inQuery;
  const hash = (text: string) => createHash('sha256').update(text).digest();
  if (given && timingSafeEqual(hash(given), hash(token))) return;
  throw new HttpError(
    401,
    'WRONG_TOKEN',
    'The token is missing or wrong. Use the URL that the dev server printed.',
  );
}

function checkMethod({ method }: IncomingMessage, ...allowed: readonly string[]): void {
  if (allowed.includes(method ?? '')) return;
  throw new HttpError(405, 'WRONG_METHOD', `Use ${allowed.join(' or ')}.`);
}

async function sendPage(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  checkMethod(request, 'GET', 'HEAD');
  const file = await readPage(path);
  if (!file) throw new HttpError(404, 'NOT_FOUND', 'There is nothing here.');
  response.setHeader('content-type', file.type);
  response.end(request.method === 'HEAD' ? undefined : file.bytes);
}

async function answer(
  request: IncomingMessage,
  { pathname, searchParams }: URL,
  log: RunLog,
  actions: DevActions | undefined,
): Promise<unknown> {
  const [, , resource, id, ...rest] = pathname.split('/');
  if (resource === 'redrive' && id === undefined) {
    checkMethod(request, 'POST');
    return changing(actions).redrive(await readRedrive(request));
  }
  if (resource === 'send' && id === undefined) {
    checkMethod(request, 'POST');
    return changing(actions).send(await readSend(request));
  }
  checkMethod(request, 'GET');
  if (resource === 'dead-letters' && id === undefined) {
    return { letters: await changing(actions).deadLetters() };
  }
  if (resource === 'tasks' && id !== undefined && rest.length === 0) return log.detail(decode(id));
  if (resource === 'objects' && id === undefined) {
    const pointer = searchParams.get('pointer') ?? '';
    const object = log.object(pointer) ?? (await actions?.readObject(pointer));
    if (object) return object;
    throw new HttpError(404, 'OBJECT_NOT_FOUND', 'The file does not have this object.');
  }
  throw new HttpError(404, 'NOT_FOUND', 'There is nothing here.');
}

function changing(actions: DevActions | undefined): DevActions {
  if (actions) return actions;
  throw new HttpError(409, 'READ_ONLY', 'A file is shown: there are no queues.');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HttpError(404, 'NOT_FOUND', 'There is nothing here.');
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(body));
}

/** Codes of errors with another status than 400. */
const statuses: Readonly<Record<string, number>> = {
  TASK_NOT_FOUND: 404,
  MESSAGE_NOT_FOUND: 404,
  STORED_DATA_MISSING: 404,
  BUCKET_NOT_ALLOWED: 403,
  OBJECT_TOO_LARGE: 413,
};

function errorAnswer(error: unknown): { status: number; body: DevError } {
  const { message } = Object(error) as Error;
  if (error instanceof HttpError) {
    return { status: error.status, body: { error: { code: error.code, message } } };
  }
  if (isAlgernonError(error)) {
    const { code } = error as AlgernonError;
    return { status: statuses[code] ?? 400, body: { error: { code, message } } };
  }
  return { status: 500, body: { error: { code: 'FAILED', message: String(message) } } };
}

const depthsMillis = 1000;

/** Sends the depths of the queues to the pages when they change. Nothing is polled while no page is open. */
function sendDepths(log: RunLog, actions: DevActions, isWatched: () => boolean): () => void {
  let last = '';
  let isBusy = false;
  const look = async () => {
    if (!isWatched()) {
      last = '';
      return;
    }
    const depths = await actions.depths();
    const text = JSON.stringify(depths);
    if (text === last) return;
    last = text;
    log.announce({ kind: 'depths', at: Date.now(), depths });
  };
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    // A queue may be missing for a moment, during a reload.
    look()
      .catch(() => {})
      .finally(() => {
        isBusy = false;
      });
  }, depthsMillis);
  timer.unref();
  return () => clearInterval(timer);
}
