import type { IncomingMessage } from 'node:http';
import type { RedriveRequest, SendRequest } from './protocol.ts';

/** A request is refused. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The largest body of a request, in bytes. */
const maxBodyBytes = 4 * 1024 * 1024;

/** Reads the body of `POST /api/redrive`. */
export async function readRedrive(request: IncomingMessage): Promise<RedriveRequest> {
  const { taskName, ids, text } = await readBody(request);
  if (typeof taskName !== 'string') throw badBody('taskName must be a text');
  if (ids !== undefined && !isTexts(ids)) throw badBody('ids must be a list of texts');
  if (text !== undefined && typeof text !== 'string') throw badBody('text must be a text');
  if (text !== undefined && ids?.length !== 1) throw badBody('text needs one id in ids');
  return { taskName, ...(ids && { ids }), ...(text !== undefined && { text }) };
}

/** Reads the body of `POST /api/send`. */
export async function readSend(request: IncomingMessage): Promise<SendRequest> {
  const { text, delaySeconds } = await readBody(request);
  if (typeof text !== 'string') throw badBody('text must be a text');
  if (delaySeconds === undefined) return { text };
  const isDelay = Number.isInteger(delaySeconds) && (delaySeconds as number) >= 0;
  if (!isDelay || (delaySeconds as number) > 900) throw badBody('delaySeconds must be from 0 to 900');
  return { text, delaySeconds: delaySeconds as number };
}

async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  // A form of another site cannot send this type without asking first.
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new HttpError(415, 'NOT_JSON', 'The content type must be application/json.');
  }
  const pieces: Buffer[] = [];
  let bytes = 0;
  // Without its end, a request is still answered.
  for await (const piece of request.iterator({ destroyOnReturn: false })) {
    bytes += (piece as Buffer).length;
    if (bytes > maxBodyBytes) throw new HttpError(413, 'BODY_TOO_LARGE', 'The body has more than 4 MB.');
    pieces.push(piece as Buffer);
  }
  try {
    const body: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'));
    if (typeof body === 'object' && body !== null) return body as Record<string, unknown>;
  } catch {
    // The error below says what is expected.
  }
  throw badBody('it must be a JSON object');
}

function badBody(problem: string): HttpError {
  return new HttpError(400, 'BAD_REQUEST', `The body of the request is refused: ${problem}.`);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
