import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startLocalAws, startWorker } from 'algernon-middy/local';
import { planImport } from './planImport.ts';
import { startSupplier } from './startSupplier.ts';
import { handler } from './worker.ts';

await using supplier = await startSupplier();
await using aws = await startLocalAws();
Object.assign(process.env, aws.env, { SUPPLIER_URL: supplier.url });
const worker = await startWorker({
  aws,
  handler,
  tasks: ['load', 'save'],
  maxReceiveCount: 5,
  onInvocation: () => {},
});

console.log('\nTwo files are imported at midnight, which is in a second');
const midnight = new Date(Date.now() + 1000);
for (const file of ['monday.csv', 'tuesday.csv']) await planImport(file, midnight, { topics: worker.topics });
await worker.idle();

for (const { messageAttributes } of await worker.deadLetters('load')) {
  console.log('\nIn the dead-letter queue:', messageAttributes.failure_reason?.stringValue);
}

console.log('\nThe supplier corrects the file, and an operator sends the message again');
supplier.correct();
const cli = new URL('../../dist/local/cli.js', import.meta.url).pathname;
const redrive = [cli, 'redrive', 'load', '--all', '--endpoint', aws.endpoint];
await once(spawn(process.execPath, redrive, { stdio: 'inherit' }), 'exit');
await worker.idle();
