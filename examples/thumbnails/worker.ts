import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import {
  type ContextOf,
  callbackPublisher,
  contextResources,
  defineTasks,
  fanOut,
  lambdaLogged,
  queued,
  routeTasks,
  sqsSnsUnwrap,
  storedDataHydrate,
  typed,
} from 'algernon-middy';
import type { SQSHandler } from 'aws-lambda';
import { openFiles } from './openFiles.ts';
import { decodePng, encodePng, shrink } from './png.ts';

/** An image that was scaled down, and the key of its file. */
export interface Thumbnail {
  key: string;
  width: number;
  bytes: number;
}

export const tasks = defineTasks({
  split: { kwargs: typed<{ image: string; widths: number[] }>() },
  thumbnail: { kwargs: typed<{ image: string; width: number }>(), result: typed<Thumbnail>() },
  album: { kwargs: typed<{ results: Thumbnail[] }>(), result: typed<{ page: string }>() },
});

const resources = contextResources({ files: () => openFiles() });
export type Context = ContextOf<typeof resources>;

const worker = routeTasks(
  {
    // One branch for each width. The branches run side by side, on as many instances as Lambda starts.
    split: ({ image, widths }) =>
      fanOut(
        widths.map((width) => ({ task_name: 'thumbnail' as const, task_kwargs: { image, width } })),
        { then: 'album', tasks },
      ),

    async thumbnail({ image, width }, context: Context) {
      const files = await context.files;
      const png = encodePng(shrink(decodePng(await files.get(image)), width));
      const key = image.replace('.png', `-${width}.png`);
      await files.put(key, png);
      return { key, width, bytes: png.length };
    },

    // The join: it runs after the last branch, with the results in the order of the branches.
    async album({ results }, context: Context) {
      const images = results.map(({ key, width }) => `<img src="${key}" alt="${width} pixels wide">`);
      await (await context.files).put('album.html', images.join('\n'));
      return { page: 'album.html' };
    },
  },
  { tasks },
);

export const handler: SQSHandler = middy(queued(worker))
  .use(lambdaLogged())
  .use(sqsPartialBatchFailure({ logger: () => {} }))
  .use(sqsSnsUnwrap())
  .use(storedDataHydrate())
  .use(resources)
  .use(callbackPublisher());
