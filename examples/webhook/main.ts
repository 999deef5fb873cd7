import { startLocalAws, startWorker } from 'algernon-middy/local';
import type { LambdaFunctionURLEvent } from 'aws-lambda';
import { intake, sign } from './intake.ts';
import { handler } from './worker.ts';

await using aws = await startLocalAws();
Object.assign(process.env, aws.env, { WEBHOOK_SECRET: 'a secret that the service and the function share' });
const { idle } = await startWorker({ aws, handler, tasks: ['ship', 'thank'] });

async function deliver(note: string, body: string, signature = sign(body)): Promise<void> {
  console.log(`\n${note}`);
  const event = { body, headers: { 'x-signature': signature } };
  const invokedFunctionArn = `arn:aws:lambda:${aws.region}:${aws.accountId}:function:intake`;
  console.log(
    'The intake answers',
    await intake(event as unknown as LambdaFunctionURLEvent, { invokedFunctionArn }),
  );
  await idle();
}

const paid = JSON.stringify({ event: 'evt_1', order: 'order-7', cents: 4200 });
await deliver('1. An order was paid', paid);
await deliver('2. The service delivers the webhook again: nothing is shipped twice', paid);
await deliver('3. A forged webhook', paid, sign('something else'));
await deliver('4. A signed webhook that is not a payment', '{"event":"evt_2"}');
