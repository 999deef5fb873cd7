import { Logger } from '@aws-lambda-powertools/logger';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import middy from '@middy/core';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import {
  callbackPublisher,
  fanOut,
  lambdaLogged,
  queued,
  routeTasks,
  sendTask,
  sqsSnsUnwrap,
  storedDataHydrate,
} from 'algernon-middy';
import type { Browser, Page } from 'playwright-core';
import {
  type DevServer,
  type LocalAws,
  startDevServer,
  startLocalAws,
  startWorker,
} from '../../../local/index.ts';
import { capturedLines } from '../../support/capturedLines.ts';
import { launchBrowser } from '../../support/launchBrowser.ts';

let aws: LocalAws;
let server: DevServer;
let browser: Browser;
let page: Page;
const problems: string[] = [];
const logger = new Logger();
capturedLines(logger);

const tasks = {
  listAlbum: ({ images }: { images: string[] }) =>
    fanOut(
      images.map((image) => ({ task_name: 'resize', task_kwargs: { image, width: 200 } })),
      { then: 'collect' },
    ),
  resize({ image, width }: { image: string; width: number | null }) {
    logger.info('resizing', { image });
    if (width === null)
      throw new TypeError(`${image} has no width`, { cause: new Error('the camera is broken') });
    return { image, width, at: new Date('2026-01-02T03:04:05Z'), tags: new Set(['cat']) };
  },
  collect: ({ results }: { results: unknown[] }) => ({ count: results.length }),
};

beforeAll(async () => {
  [aws, browser] = await Promise.all([startLocalAws(), launchBrowser()]);
  const handler = middy(queued(routeTasks(tasks)))
    .use(lambdaLogged({ logger }))
    .use(sqsPartialBatchFailure({ logger: () => {} }))
    .use(sqsSnsUnwrap())
    .use(storedDataHydrate({ buckets: [aws.bucket], s3: aws.s3 }))
    .use(callbackPublisher({ bucket: aws.bucket, s3: aws.s3, sns: aws.sns }));
  const worker = await startWorker({
    aws,
    handler,
    tasks: ['listAlbum', 'resize', 'collect'],
    maxReceiveCount: 2,
    retryDelaySeconds: 3,
    onInvocation: () => {},
  });
  server = await startDevServer({ aws, worker, name: 'album/worker.ts' });
  page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  page.on('console', (message) => problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(String(error)));
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await aws?.stop();
});

/** Opens a view. The page stays loaded when only the hash changes. */
async function open(hash: string): Promise<void> {
  await page.goto(server.url + hash);
}

/** Sends a task with the form, and returns the id of its chain. */
async function sendByForm(taskName: string, kwargs: unknown): Promise<string> {
  await open(`#/send?task=${taskName}`);
  await page.getByLabel('Arguments (task_kwargs)').fill(JSON.stringify(kwargs));
  await page.getByRole('button', { name: `Send ${taskName}` }).click();
  const link = page.getByRole('link', { name: /^chain / });
  return ((await link.textContent()) ?? '').replace('chain ', '');
}

test('a chain that was sent by the form appears live, with its branches and their join', async () => {
  const chainId = await sendByForm('listAlbum', { images: ['a.png', 'b.png'] });
  await open('#/chains');
  const row = page.getByRole('row', { name: chainId });
  await row.getByText('succeeded: ').waitFor();
  await row.getByText('4 of 4').waitFor();
  await row.click();
  const tree = page.getByRole('treegrid');
  await tree.getByText('2 of 2 joined').waitFor();
  await tree.getByRole('row', { name: /succeeded: collect join/ }).waitFor();
  // Its arguments are the results of the branches.
  await tree.getByRole('row', { name: 'collect' }).click();
  const panel = page.getByRole('region', { name: 'Task collect' });
  await panel.getByRole('button', { name: 'Load the object' }).first().click();
  await panel.getByText('2026-01-02T03:04:05.000Z').first().waitFor();
  await panel.getByText('datetime').first().waitFor();
}, 60_000);

test('a task fails, is retried with a countdown, dead-lettered, edited and redriven', async () => {
  const chainId = await sendByForm('resize', { image: 'broken.png', width: null });
  await open('#/chains?state=retrying');
  await page
    .getByRole('row', { name: chainId })
    .getByText(/retry in [123] s/)
    .waitFor();
  await open(`#/chains/${chainId}`);
  await page.getByText('broken.png has no width').first().waitFor();
  await page.getByRole('link', { name: 'broken.png has no width' }).click();
  const panel = page.getByRole('region', { name: 'Task resize' });
  await panel.getByText('caused by Error: the camera is broken').waitFor();
  await panel.getByText('dead letter').waitFor();
  await panel.getByRole('listitem').filter({ hasText: 'resizing' }).first().waitFor();

  await open('#/dead-letters');
  const letter = page.getByRole('listitem').filter({ hasText: chainId });
  await letter.getByRole('button', { name: 'Edit' }).click();
  const area = letter.getByLabel('Task');
  const text = await area.inputValue();
  await area.fill(text.replace('null', 'nul'));
  expect(await letter.getByRole('button', { name: 'Redrive edited' }).isDisabled()).toBe(true);
  await area.fill(text.replace('null', '640'));
  await letter.getByRole('button', { name: 'Redrive edited' }).click();
  await page.getByText('The dead-letter queues are empty.').waitFor();
  await open(`#/chains/${chainId}`);
  await page.getByRole('row', { name: /succeeded: resize/ }).waitFor();
}, 60_000);

test('everything in a message is shown as text', async () => {
  const hostile = {
    image: '<img src=x onerror="globalThis.hacked = 1"></script><script>hacked = 1</script>',
    width: 1,
    '<b>key</b>': 'left \u202eright\u0007',
    link: 'javascript:globalThis.hacked = 1',
    long: 'x'.repeat(100_000),
    ...JSON.parse('{"__proto__": {"polluted": "yes"}}'),
  };
  const chainId = await sendByForm('resize', hostile);
  await open('#/chains');
  await page.getByRole('row', { name: chainId }).click();
  await page.getByRole('treegrid').getByRole('row', { name: 'resize' }).click();
  const panel = page.getByRole('region', { name: 'Task resize' });
  await panel.getByText('onerror="globalThis.hacked = 1"').first().waitFor();
  await panel.getByText('<b>key</b>').waitFor();
  await panel.getByText('left \\u202eright\\u0007').waitFor();
  await panel.getByText('__proto__').waitFor();
  expect(await page.locator('main img, main script, main b, main a[href^="javascript"]').count()).toBe(0);
  expect(await page.evaluate('[globalThis.hacked, ({}).polluted]')).toEqual([undefined, undefined]);
  await panel.getByRole('button', { name: 'Show all 100,000 characters' }).click();
  await panel.getByText('x'.repeat(100_000)).waitFor();
}, 60_000);

test('a link leads to a task', async () => {
  const { chainId, messageId } = await sendTask(
    { task_name: 'resize', task_kwargs: { image: 'linked.png', width: 3 } },
    { sns: aws.sns, functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:sender' },
  );
  const other = await browser.newPage();
  await other.goto(`${server.url}#/chains/${chainId}/${messageId}`);
  await other.getByRole('region', { name: 'Task resize' }).getByText('linked.png').first().waitFor();
  await other.close();
}, 60_000);

test('the page reports no problem, of its policy neither', () => {
  expect(problems).toEqual([]);
});
