import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sendTask } from 'algernon-middy';
import { startLocalAws, startWorker } from 'algernon-middy/local';
import { drawSunset } from './drawSunset.ts';
import { openFiles } from './openFiles.ts';
import { handler, tasks } from './worker.ts';

const widths = [320, 160, 80, 40];

await using aws = await startLocalAws();
Object.assign(process.env, aws.env);
const { topics, idle } = await startWorker({ aws, handler, tasks: ['split', 'thumbnail', 'album'] });

const files = openFiles();
await files.put('sunset.png', drawSunset(640, 400));
await sendTask({ task_name: 'split', task_kwargs: { image: 'sunset.png', widths } }, { tasks, topics });
await idle();

const folder = mkdtempSync(join(tmpdir(), 'thumbnails-'));
for (const key of ['album.html', ...widths.map((width) => `sunset-${width}.png`)]) {
  const content = await files.get(key);
  writeFileSync(join(folder, key), content);
  console.log(`${key.padEnd(16)} ${content.length} bytes`);
}
console.log(`\nOpen ${join(folder, 'album.html')}`);
