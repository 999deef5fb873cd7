import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import type { DeadLetter, ObjectEntry, StreamEntry, TaskDetail } from '../../../local/dev/protocol.ts';

/** What the server of a scripted page answers. */
export interface Script {
  /** The entries before the page connects. */
  entries: StreamEntry[];
  details?: Record<string, TaskDetail>;
  objects?: Record<string, ObjectEntry>;
  letters?: DeadLetter[];
}

export interface ScriptedPage {
  url: string;
  /** Sends entries to the pages that are open. */
  send(entries: readonly StreamEntry[]): void;
  /** Breaks the streams. */
  disconnect(): void;
  /** The bodies that the page has posted, by path. */
  readonly posts: [path: string, body: unknown][];
  close(): Promise<void>;
}

const folder = new URL('../../../dist/local/dev/page/', import.meta.url);
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
};

/**
 * Serves the built page with entries by script. So a test has states that a worker seldom has, and thousands of chains at once.
 */
export async function servePage(script: Script): Promise<ScriptedPage> {
  const streams = new Set<ServerResponse>();
  const posts: [string, unknown][] = [];
  const server = createServer((request, response) => {
    void answer(request, response, script, streams, posts);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/?token=secret`,
    posts,
    send(entries) {
      script.entries.push(...entries);
      for (const stream of streams) stream.write(message(entries));
    },
    disconnect() {
      for (const stream of streams) stream.destroy();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { entries, details = {}, objects = {}, letters = [] }: Script,
  streams: Set<ServerResponse>,
  posts: [string, unknown][],
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const json = (body: unknown, status = 200) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  if (!pathname.startsWith('/api/')) {
    const name = pathname === '/' ? 'index.html' : pathname.slice(1);
    const type = types[extname(name)];
    if (!type) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': type, 'content-security-policy': "default-src 'self'" });
    return void response.end(readFileSync(new URL(name, folder)));
  }
  const path = pathname.slice('/api/'.length);
  if (path === 'stream') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`retry: 200\n${message(entries)}`);
    streams.add(response);
    response.on('close', () => streams.delete(response));
    return;
  }
  if (request.headers.authorization !== 'Bearer secret')
    return json({ error: { code: 'TOKEN', message: '' } }, 401);
  if (request.method === 'POST') {
    let body = '';
    for await (const chunk of request) body += chunk;
    posts.push([path, JSON.parse(body)]);
    return json(path === 'send' ? { chainId: 'sent-1', messageId: 'sent-1-m' } : { sent: 1 });
  }
  if (path === 'dead-letters') return json({ letters });
  if (path === 'objects') {
    const object = objects[searchParams.get('pointer') ?? ''];
    return object
      ? json(object)
      : json({ error: { code: 'NO_OBJECT', message: 'There is no such object.' } }, 404);
  }
  json(details[decodeURIComponent(path.replace('tasks/', ''))] ?? { logs: [] });
}

function message(entries: readonly StreamEntry[]): string {
  return `data: ${JSON.stringify(entries)}\n\n`;
}
