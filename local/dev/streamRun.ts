import type { ServerResponse } from 'node:http';
import type { RunLog, StreamItem } from './runLog.ts';

/** How long entries wait for others, in milliseconds: a page draws them at once. */
const lingerMillis = 25;
/** The most entries of one message of the stream. */
const maxEntries = 500;
/** The comment that keeps an idle connection open. */
const heartbeatMillis = 15_000;
/** A page that reads so slowly that this many bytes wait is cut off. It connects again and goes on where it was. */
const maxWaitingBytes = 64 * 1024 * 1024;

/** Sends the entries of a run to a page, and the new ones as they come. */
export function streamRun(response: ServerResponse, log: RunLog, lastEventId: unknown): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  const last = Number(lastEventId) || 0;
  // A position of an earlier run says nothing.
  let waiting = log.after(last <= log.position ? last : 0);
  let timer: NodeJS.Timeout | undefined;

  const flush = () => {
    timer = undefined;
    const items = waiting;
    waiting = [];
    for (let start = 0; start < items.length; start += maxEntries) {
      response.write(messageOf(items.slice(start, start + maxEntries)));
    }
    if (response.writableLength > maxWaitingBytes) response.destroy();
  };
  const unsubscribe = log.subscribe((item) => {
    waiting.push(item);
    timer ??= setTimeout(flush, lingerMillis);
  });
  const heartbeat = setInterval(() => response.write(':\n\n'), heartbeatMillis);
  response.on('close', () => {
    unsubscribe();
    clearInterval(heartbeat);
    clearTimeout(timer);
  });
  response.write('retry: 1000\n\n');
  flush();
}

function messageOf(items: readonly StreamItem[]): string {
  const position = items.findLast((item) => item.position !== undefined)?.position;
  const id = position === undefined ? '' : `id: ${position}\n`;
  return `${id}data: [${items.map(({ text }) => text).join(',')}]\n\n`;
}
