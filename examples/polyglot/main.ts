import { sendTask } from 'algernon-middy';
import { startLocalAws, startWorker } from 'algernon-middy/local';
import { startPython } from './startPython.ts';
import { handler } from './worker.ts';

await using aws = await startLocalAws();
Object.assign(process.env, aws.env);
await using python = await startPython(aws.env);

const typescript = await startWorker({ aws, handler, tasks: ['read', 'report'] });
const pythonWorker = await startWorker({ aws, handler: python.handler, tasks: ['total'] });

const csv = '2026-01-30;Oslo;0.10\n2026-01-30;Bergen;0.20\n2026-01-31;Oslo;19.99';
await sendTask(
  { task_name: 'read', task_kwargs: { csv }, callback: 'read#total#report' },
  { topics: typescript.topics },
);
// A worker hands a task on before its message is done, so the chain is done when each has been idle in turn.
await typescript.idle();
await pythonWorker.idle();
await typescript.idle();
