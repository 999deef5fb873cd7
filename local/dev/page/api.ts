import type { DevError } from '../protocol.ts';

/** The token of this run, from the address of the page. */
export const token: string = new URLSearchParams(location.search).get('token') ?? '';

/**
 * Calls the dev server: GET, or POST if there is a body.
 *
 * @throws Error with the message of the server
 */
export async function callServer<T>(path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { authorization: `Bearer ${token}` };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(`api/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new Error('The dev server does not answer. Is it still running?');
  });
  const answer: unknown = await response.json().catch(() => ({}));
  if (response.ok) return answer as T;
  const { error } = answer as Partial<DevError>;
  throw new Error(error?.message ?? `The dev server answered with status ${response.status}.`);
}
