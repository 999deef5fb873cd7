import { sendTask } from 'algernon-middy';
import { startLocalAws, startWorker } from 'algernon-middy/local';
import type { SQSHandler } from 'aws-lambda';

const aws = await startLocalAws();
// The stack creates its own clients, as on Lambda, and finds the endpoints in the environment.
Object.assign(process.env, aws.env);
const { handler } = await import('./worker.js');
const lambda: SQSHandler = handler;

const worker = await startWorker({ aws, handler: lambda, tasks: ['resize', 'describe'] });
await sendTask(
  { task_name: 'resize', task_kwargs: { image: 'cat.png', width: 200 }, callback: 'describe' },
  { topics: worker.topics },
);
await worker.idle({ timeoutSeconds: 20 });
await aws.stop();
