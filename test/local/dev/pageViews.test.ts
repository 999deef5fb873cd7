import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import type { StreamEntry } from '../../../local/dev/protocol.ts';
import { launchBrowser } from '../../support/launchBrowser.ts';
import { albumScript, runEntries, taskEvents } from './pageScript.ts';
import { type ScriptedPage, servePage } from './servePage.ts';

/** Views, and a text that each has once it is complete. */
const views: readonly [name: string, hash: string, text: string][] = [
  ['chains', '#/chains', 'chain-album-7f3a'],
  ['no chain', '#/chains?search=nothing', 'No chain matches.'],
  ['chain', '#/chains/chain-album-7f3a', '4 of 4 joined'],
  ['task', '#/chains/chain-album-7f3a/m-branch-1', '48213'],
  ['failed task', '#/chains/chain-failed/m-failed', 'No lines.'],
  ['unknown chain', '#/chains/unknown', 'There is no chain'],
  ['tasks', '#/tasks', 'listAlbum'],
  ['dead letters', '#/dead-letters', '2 messages'],
  ['form', '#/send?task=resize', 'The key of the image'],
  ['form for JSON', '#/send?task=notify', 'Arguments (task_kwargs)'],
];

let browser: Browser;
let page: Page;
let server: ScriptedPage;
const servers: ScriptedPage[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  page = await browser.newPage({ reducedMotion: 'reduce' });
  page.setDefaultTimeout(20_000);
  server = await serve(albumScript(Date.now()).entries);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await Promise.all(servers.map((each) => each.close()));
});

async function serve(entries: StreamEntry[]): Promise<ScriptedPage> {
  const served = await servePage({ ...albumScript(Date.now()), entries });
  servers.push(served);
  return served;
}

/** Opens a view. The page stays loaded when only the hash changes. */
async function open(hash: string, { url } = server): Promise<void> {
  await page.goto(url + hash);
}

/** Waits until an element with this id, or with this in its text, has the focus. */
async function waitForFocus(wanted: string): Promise<void> {
  let focused = '';
  for (const end = Date.now() + 5000; Date.now() < end; await page.waitForTimeout(20)) {
    focused = String(await page.evaluate('document.activeElement.id || document.activeElement.innerText'));
    if (focused.includes(wanted) && focused.length < 300) return;
  }
  throw new Error(`${wanted} has no focus, but ${focused}`);
}

test('the page is at most 40 kB, compressed', () => {
  const folder = new URL('../../../dist/local/dev/page/', import.meta.url);
  const files = readdirSync(folder);
  expect(files.sort()).toEqual(['app.css', 'app.js', 'index.html']);
  const bytes = files.map((file) => gzipSync(readFileSync(new URL(file, folder)), { level: 9 }).length);
  expect(bytes.reduce((sum, each) => sum + each)).toBeLessThan(40_000);
});

test.each([
  ['light', 1280, {}],
  ['dark', 1280, { runOnly: ['color-contrast'] }],
  ['light', 400, { runOnly: ['color-contrast', 'scrollable-region-focusable', 'target-size'] }],
] as const)(
  'axe finds nothing in any view: %s, %i pixels wide',
  async (colorScheme, width, options) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    await page.goto('about:blank');
    await open('#/chains');
    // By the debugger, since the policy of the page refuses other scripts.
    await page.evaluate(axe.source);
    for (const [name, hash, text] of views) {
      await open(hash);
      await page.locator('main').getByText(text).first().waitFor();
      const { violations } = (await page.evaluate(
        `axe.run(${JSON.stringify({ ...options, resultTypes: ['violations'] })})`,
      )) as axe.AxeResults;
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      expect([name, found]).toEqual([name, []]);
      expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width]);
    }
  },
  60_000,
);

test('the keyboard reaches the search, the rows, a chain and its tasks, and comes back', async () => {
  await page.setViewportSize({ width: 1280, height: 800 });
  await open('#/chains');
  await page.getByRole('row').nth(1).waitFor();
  await page.keyboard.press('/');
  await waitForFocus('search');
  await page.keyboard.type('resize');
  await page.getByRole('row', { name: 'chain-waiting' }).waitFor({ state: 'detached' });
  await page.getByLabel('Search').press('Tab');
  await page.getByRole('row', { name: 'chain-retrying' }).focus();
  await page.keyboard.press('ArrowDown');
  await waitForFocus('chain-album-7f3a');
  await page.keyboard.press('End');
  await waitForFocus('chain-failed');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'listAlbum' }).waitFor();
  // The heading, so that a screen reader reads on there.
  await waitForFocus('listAlbum');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('row', { name: '#2' }).waitFor({ state: 'detached' });
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Task resize' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('region', { name: 'Task resize' }).waitFor({ state: 'detached' });
  await waitForFocus('#0');
}, 60_000);

test('the newest chain is first, and only the rows in sight are rendered', async () => {
  const many = Array.from(
    { length: 2000 },
    (_, index) => taskEvents(`chain-${index}`, `m-${index}`, 'resize').send(1_790_000_000_000 + index).events,
  );
  const busy = await serve([...runEntries, ...many.flat()]);
  await open('#/chains', busy);
  const grid = page.getByRole('grid');
  await grid.getByText('chain-1999').waitFor();
  expect(await grid.getAttribute('aria-rowcount')).toBe('2001');
  expect(await page.getByRole('row').count()).toBeLessThan(60);
  await grid.getByRole('row').nth(1).focus();
  await page.keyboard.press('End');
  await grid.getByText('chain-0', { exact: true }).waitFor();
  expect(
    await grid.getByRole('row', { name: 'chain-0', exact: false }).last().getAttribute('aria-rowindex'),
  ).toBe('2001');
  // The rows in sight stay where they are when a chain comes in above them.
  const before = await grid.getByText('chain-5', { exact: true }).boundingBox();
  busy.send(taskEvents('chain-new', 'm-new', 'resize').send(1_800_000_000_000).events);
  await page.getByRole('button', { name: /^All 2,001/ }).waitFor();
  expect(await grid.getByText('chain-5', { exact: true }).boundingBox()).toEqual(before);
}, 60_000);

test('a reload that fails is shown until it succeeds, and a lost connection until it is back', async () => {
  await open('#/chains');
  server.send([{ kind: 'reload', at: 1, error: 'worker.ts:3:1: <b>Unexpected token</b>' }]);
  await page.getByText('worker.ts:3:1: <b>Unexpected token</b>').waitFor();
  server.send([{ kind: 'reload', at: 2 }]);
  await page.getByText('could not be loaded').waitFor({ state: 'detached' });
  server.disconnect();
  await page.getByText('The page reconnects by itself.').waitFor();
  await page.getByText('The page reconnects by itself.').waitFor({ state: 'detached' });
  await page.getByText('Live', { exact: true }).waitFor();
}, 60_000);

test('a file has nothing to send, and nothing to redrive', async () => {
  const [run, ...others] = albumScript(Date.now()).entries;
  const { endpoint, ...file } = run as Extract<StreamEntry, { kind: 'run' }>;
  const shown = await serve([file, ...others.filter(({ kind }) => kind !== 'depths')]);
  await open('#/tasks', shown);
  await page.getByText('File', { exact: true }).waitFor();
  const links = await page.getByRole('navigation', { name: 'Views' }).getByRole('link').allInnerTexts();
  expect(links).toEqual(['Chains', 'Tasks']);
  expect(await page.getByRole('link', { name: /Send/ }).count()).toBe(0);
  expect(endpoint).toBeDefined();
}, 60_000);

test('the form keeps the digits of numbers, and says what is missing', async () => {
  await open('#/send?task=resize');
  await page.getByLabel('image').fill('cat "1".png');
  await page.getByLabel('width').fill('12345678901234567890');
  await page.getByLabel('format').selectOption('"webp"');
  await page.getByLabel('quality').fill('high');
  await page.getByLabel('Callback').fill('describe#notify');
  await page.getByRole('button', { name: 'Send resize' }).click();
  await page.getByText('quality must be a number.').waitFor();
  await page.getByLabel('quality').fill('0.5');
  await page.getByRole('button', { name: 'Send resize' }).click();
  await page.getByRole('link', { name: 'chain sent-1' }).waitFor();
  expect(server.posts.at(-1)).toEqual([
    'send',
    {
      text: '{"task_name": "resize", "task_kwargs": {"image": "cat \\"1\\".png", "width": 12345678901234567890, "quality": 0.5, "format": "webp"}, "callback": "describe#notify"}',
    },
  ]);
}, 60_000);

test('a link to a task brings its row into sight', async () => {
  const branches = Array.from({ length: 500 }, (_, index) => `m-${index}`);
  const messages = branches.map(
    (messageId) => ({ messageId, taskName: 'resize', role: 'callback' }) as const,
  );
  const wide = await serve([
    ...runEntries,
    ...taskEvents('chain-wide', 'm-root', 'listAlbum').send(1).receive(2).publish(3, messages).succeed(4, 1)
      .events,
  ]);
  await open('#/chains/chain-wide/m-321', wide);
  await page.locator('[aria-selected=true]').waitFor();
  const box = await page.locator('[aria-selected=true]').boundingBox();
  expect(box?.y).toBeLessThan(700);
}, 60_000);
