import { createServer } from 'node:http';
import { expect, test } from '@jest/globals';
import { preloadClients } from '../../middlewares/index.ts';
import { runNode } from '../local/tools.ts';

/** Runs a script that sees which of the SDK's clients have been loaded. */
const script = (code: string) => `
  import { registerHooks } from 'node:module';
  const loaded = [];
  let missing;
  registerHooks({ resolve(name, context, next) {
    if (name === missing) throw Object.assign(new Error("Cannot find package '" + name + "'"), { code: 'ERR_MODULE_NOT_FOUND' });
    if (/^@aws-sdk\\/client-(s3|sns)$/.test(name) && !loaded.includes(name)) loaded.push(name);
    return next(name, context);
  } });
  const { preloadClients } = await import('./middlewares/preloadClients.ts');
  ${code}`;
const preloading = async (code: string) => (await runNode(script(code))).output;

test('loads both clients, or those that are asked for', async () => {
  expect(await preloading('console.log(loaded); await preloadClients(); console.log(loaded.sort());')).toBe(
    "[]\n[ '@aws-sdk/client-s3', '@aws-sdk/client-sns' ]\n",
  );
  expect(await preloading('await preloadClients({ sns: false }); console.log(loaded);')).toBe(
    "[ '@aws-sdk/client-s3' ]\n",
  );
  expect(await preloading('await preloadClients({ s3: false }); console.log(loaded);')).toBe(
    "[ '@aws-sdk/client-sns' ]\n",
  );
});

test('later calls use the client that was made, and nothing is sent before them', async () => {
  let requests = 0;
  let connections = 0;
  const server = createServer((request, response) => {
    requests += 1;
    request.resume();
    response.end();
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  try {
    const output = await preloading(`
      Object.assign(process.env, {
        AWS_ENDPOINT_URL: 'http://127.0.0.1:${port}', AWS_REGION: 'eu-west-1',
        AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b',
      });
      const { S3Client } = await import('@aws-sdk/client-s3');
      const clients = new Set();
      const { send } = S3Client.prototype;
      S3Client.prototype.send = function (...args) { clients.add(this); return send.apply(this, args); };
      await preloadClients();
      console.log(clients.size);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const { s3ObjectStore } = await import('./middlewares/aws/s3ObjectStore.ts');
      await s3ObjectStore().put({ bucket: 'b', key: 'k' }, 'x');
      console.log(clients.size);`);
    expect(output).toBe('1\n1\n');
    expect([requests, connections]).toEqual([1, 1]);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

test('prepares a signed request of each client, up to where it would leave', async () => {
  const output = await preloading(`
    Object.assign(process.env, { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' });
    const { S3Client } = await import('@aws-sdk/client-s3');
    const { SNSClient } = await import('@aws-sdk/client-sns');
    const prepared = [];
    for (const { prototype } of [S3Client, SNSClient]) {
      const { send } = prototype;
      prototype.send = function (...args) {
        this.config.requestHandler.handle = async ({ method, headers }, { abortSignal }) => {
          prepared.push([method, headers.authorization.slice(0, 16), abortSignal.aborted].join(' '));
          throw new Error('aborted');
        };
        return send.apply(this, args);
      };
    }
    await preloadClients();
    console.log(prepared.sort().join());`);
  expect(output).toBe('POST AWS4-HMAC-SHA256 true,PUT AWS4-HMAC-SHA256 true\n');
});

test('without credentials it still resolves, since the first real call reports them', async () => {
  const output = await preloading(`
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
    Object.assign(process.env, { AWS_REGION: 'eu-west-1', AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nowhere' });
    console.log(await preloadClients());`);
  expect(output).toBe('undefined\n');
});

test('a client that is not installed is named', async () => {
  const output = await preloading(`
    missing = '@aws-sdk/client-s3';
    await preloadClients().catch(({ code, message }) => console.log(code, message));`);
  expect(output).toMatch(/^MISSING_PACKAGE .*npm install @aws-sdk\/client-s3/);
});

test.each([{ sqs: true }, { s3: 'yes' }, null])('refuses the options %j', async (options) => {
  await expect(preloadClients(options as never)).rejects.toMatchObject({ code: 'BAD_OPTION' });
});
