/** Takes the screenshots of docs/dev.md: `npm run build && node test/local/dev/takeScreenshots.ts`. */
import { createHash } from 'node:crypto';
import type { StreamEntry } from '../../../local/dev/protocol.ts';
import { launchBrowser } from '../../support/launchBrowser.ts';
import { albumScript, taskEvents } from './pageScript.ts';
import { servePage } from './servePage.ts';

/** Ids as sendTask makes them, in place of those that tell a reader of the tests what they are. */
function withIds<T>(value: T): T {
  const text = JSON.stringify(value).replace(/"(chain|m)-[\w-]+"/g, (name) => {
    const [id = ''] =
      createHash('sha256')
        .update(name)
        .digest('hex')
        .match(/^.{32}/) ?? [];
    return JSON.stringify(id.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'));
  });
  return JSON.parse(text) as T;
}

function earlierChains(now: number): StreamEntry[] {
  return Array.from({ length: 14 }, (_, index) => {
    const at = now - 40_000 - index * 17_000;
    const [id, first] = [`chain-early-${index}`, `m-early-${index}`];
    const next = { messageId: `${first}-next`, taskName: 'notify', role: 'callback' } as const;
    return [
      ...taskEvents(id, first, index % 3 === 0 ? 'resize' : 'describe')
        .send(at)
        .receive(at + 60)
        .publish(at + 300 + index * 40, [next])
        .succeed(at + 310 + index * 40, 230 + index * 40).events,
      ...taskEvents(id, next.messageId, 'notify')
        .receive(at + 420 + index * 40)
        .succeed(at + 640 + index * 40, 210).events,
    ];
  }).flat();
}

const now = Date.now();
const script = albumScript(now);
const server = await servePage(withIds({ ...script, entries: [...script.entries, ...earlierChains(now)] }));
const browser = await launchBrowser();
const page = await browser.newPage({ viewport: { width: 1280, height: 640 } });
const take = (name: string) => page.screenshot({ path: `docs/images/${name}.png` });
try {
  await page.goto(server.url);
  await page.getByRole('row').nth(12).waitFor();
  await take('dev-chains');
  await page.getByRole('row', { name: 'listAlbum' }).click();
  await page.getByRole('row', { name: '#1' }).click();
  await page.getByText('The image service answered 503').last().waitFor();
  await page.mouse.move(0, 600);
  await take('dev-chain');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.getByRole('link', { name: 'Dead letters' }).click();
  await page.getByRole('button', { name: 'Edit' }).first().click();
  await page.getByLabel('Task').fill((await page.getByLabel('Task').inputValue()).replace('null', '640'));
  await take('dev-dead-letters');
} finally {
  await browser.close();
  await server.close();
}
