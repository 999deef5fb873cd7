import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const good = 'apple;0.45\npear;0.60\n';

/** A supplier with the usual faults. */
export interface Supplier extends AsyncDisposable {
  readonly url: string;
  /** Corrects the bad file. */
  correct(): void;
}

/**
 * Starts a server with two files. `monday.csv` is not ready at first, then the server is overloaded once. `tuesday.csv` has a
 * price that nobody can read.
 */
export async function startSupplier(): Promise<Supplier> {
  const files = new Map([
    ['/monday.csv', good],
    ['/tuesday.csv', 'apple;0.45\npear;sixty\n'],
  ]);
  const faults = [
    { status: 202, headers: {} },
    { status: 503, headers: { 'retry-after': '1' } },
  ];
  const server = createServer((request, response) => {
    const fault = request.url === '/monday.csv' ? faults.shift() : undefined;
    const content = fault ? '' : files.get(request.url ?? '');
    const status = fault?.status ?? (content === undefined ? 404 : 200);
    response.writeHead(status, fault?.headers).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    correct: () => void files.set('/tuesday.csv', good),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
