import { expect, test } from '@jest/globals';
import { testWorker } from 'algernon-middy/testing';
import { drawSunset } from '../../examples/thumbnails/drawSunset.ts';
import type { Files } from '../../examples/thumbnails/openFiles.ts';
import { decodePng, encodePng, shrink } from '../../examples/thumbnails/png.ts';
import { type Context, handler, tasks } from '../../examples/thumbnails/worker.ts';
import { runExample } from '../support/runExample.ts';

const memoryFiles = (contents: Map<string, string | Uint8Array>): Files => ({
  async get(key) {
    const content = contents.get(key);
    if (content === undefined) throw new Error(`there is no ${key}`);
    return Buffer.from(content);
  },
  async put(key, content) {
    contents.set(key, content);
  },
});

test('an image becomes a thumbnail of each width, and one album of all', async () => {
  const contents = new Map<string, string | Uint8Array>([['sunset.png', drawSunset(64, 40)]]);
  await using worker = await testWorker<typeof tasks, Context>(handler, {
    tasks,
    context: { files: memoryFiles(contents) },
  });
  await worker.send({ task_name: 'split', task_kwargs: { image: 'sunset.png', widths: [32, 16, 8] } });
  await worker.idle();

  expect(worker.results('album')).toEqual([{ page: 'album.html' }]);
  const page = String(contents.get('album.html'));
  expect([...page.matchAll(/src="(.*?)"/g)].map(([, key]) => key)).toEqual([
    'sunset-32.png',
    'sunset-16.png',
    'sunset-8.png',
  ]);
  expect(decodePng(Buffer.from(contents.get('sunset-16.png') ?? ''))).toMatchObject({
    width: 16,
    height: 10,
  });
});

test('an image that is missing leaves the album out, and its branches in the dead-letter queue', async () => {
  await using worker = await testWorker<typeof tasks, Context>(handler, {
    tasks,
    context: { files: memoryFiles(new Map()) },
  });
  await worker.send({ task_name: 'split', task_kwargs: { image: 'missing.png', widths: [32, 16] } });
  await worker.idle();
  expect(worker.results('album')).toEqual([]);
  expect(await worker.deadLetters('thumbnail')).toHaveLength(2);
});

test('a PNG is read as it was written, and a pixel of a thumbnail is an average', () => {
  const pixels = Uint8Array.from([0, 100, 200, 100, 200, 250, 0, 0, 0, 0, 0, 50, 9, 9, 9, 7, 7, 7]);
  const image = { width: 3, height: 2, pixels };
  expect(decodePng(encodePng(image))).toEqual(image);
  const square = { width: 2, height: 2, pixels: pixels.slice(0, 12) };
  expect([...shrink(square, 1).pixels]).toEqual([25, 75, 125]);
  expect(() => decodePng(Buffer.from('GIF89a'))).toThrow('not a PNG');
});

test('the command shows the files', async () => {
  expect(await runExample('thumbnails')).toMatch(/album\.html +\d+ bytes\nsunset-320\.png/);
});
