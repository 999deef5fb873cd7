import { readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { runInNewContext } from 'node:vm';
import { ajson } from '../../../core/ajson/index.ts';

/** Values created in another realm, by a test runner or by Node, each with its text. */
export async function realmValues(): Promise<readonly (readonly [string, unknown, string])[]> {
  const date = '{"_alg_class":"datetime","value":{"tz":"UTC","timestamp":1}}';
  const { mtime } = await stat('package.json');
  return [
    ['a Date of a vm', runInNewContext('new Date(1000)'), date],
    ['a Set of a vm', runInNewContext('new Set([1])'), '{"_alg_class":"set","value":[1]}'],
    ['a Map of a vm', runInNewContext('new Map([[1, 2]])'), '{"_alg_class":"Map","value":[[1,2]]}'],
    ['bytes of a vm', runInNewContext('Uint8Array.of(1)'), '{"_alg_class":"Uint8Array","value":"AQ=="}'],
    [
      'a cloned Map',
      structuredClone(new Map([[1, new Date(1000)]])),
      `{"_alg_class":"Map","value":[[1,${date}]]}`,
    ],
    ['a cloned Set', structuredClone(new Set([1])), '{"_alg_class":"set","value":[1]}'],
    [
      'the date of a file',
      mtime,
      `{"_alg_class":"datetime","value":{"tz":"UTC","timestamp":${mtime.getTime() / 1000}}}`,
    ],
    [
      'an error of a vm',
      runInNewContext('new TypeError("no")'),
      '{"_alg_class":"Error","value":{"name":"TypeError","fields":{},"message":"no"}}',
    ],
  ];
}

async function rejection(work: () => unknown): Promise<Error & Record<string, unknown>> {
  try {
    await work();
  } catch (error) {
    return error as never;
  }
  throw new Error('nothing was thrown');
}

/** Common errors of Node and of the language. */
export async function everydayErrors(): Promise<
  readonly (readonly [string, Error & Record<string, unknown>])[]
> {
  const refused = (host: string) =>
    rejection(() => new Promise((_, reject) => connect({ host, port: 1 }).on('error', reject)));
  const failing: [string, () => unknown][] = [
    ['ENOENT', () => readFile('/nowhere/at/all')],
    ['ERR_INVALID_ARG_TYPE', () => Buffer.from(5 as never)],
    ['ERR_INVALID_URL', () => new URL('x')],
    ['AbortError', () => AbortSignal.abort().throwIfAborted()],
    ['TimeoutError', () => Promise.reject(new DOMException('late', 'TimeoutError'))],
    ['DataCloneError', () => structuredClone(() => 1)],
    [
      'AggregateError',
      () => Promise.any([Promise.reject(new TypeError('a')), Promise.reject(new RangeError('b'))]),
    ],
    ['AbortError of Node', () => readFile('package.json', { signal: AbortSignal.abort() })],
    ['a failed fetch', () => fetch('http://127.0.0.1:1/')],
    ['a subclass', () => Promise.reject(new (class OrderError extends RangeError {})('out'))],
    ['SyntaxError', () => JSON.parse('{')],
  ];
  const errors = failing.map(async ([name, work]) => [name, await rejection(work)] as const);
  return [...(await Promise.all(errors)), ['ECONNREFUSED', await refused('127.0.0.1')]];
}

/** The members of an error that a round trip changes. */
export function differences(error: Error & Record<string, unknown>): string[] {
  const back = ajson.loads<typeof error>(ajson.dumps({ error }).slice('{"error":'.length, -1));
  const wrong = ['name', 'message', 'code', 'errno', 'syscall', 'path', 'input'].filter(
    (key) => back[key] !== error[key],
  );
  if (!/Error|Exception/.test(Object.prototype.toString.call(back))) wrong.push('class');
  if (String((back.cause as Error)?.message) !== String((error.cause as Error)?.message)) wrong.push('cause');
  const messages = (of: Record<string, unknown>) =>
    ((of['errors'] ?? []) as Error[]).map(({ message }) => message).join();
  if (messages(back) !== messages(error)) wrong.push('errors');
  return wrong;
}
