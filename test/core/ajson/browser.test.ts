import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../../support/launchBrowser.ts';
import { bundleVectors } from './bundleVectors.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
}, 120_000);
afterAll(() => browser?.close());

test('the bundle uses only the language, URL and base64', async () => {
  const realm: { verdict?: unknown } = { URL, atob, btoa } as object;
  runInNewContext(await bundleVectors(), realm);
  expect(JSON.stringify(realm.verdict)).toBe('[]');
});

test('the vectors hold in a browser', async () => {
  const page = await browser.newPage();
  await page.addScriptTag({ content: await bundleVectors() });
  expect(await page.evaluate('JSON.stringify(globalThis.verdict)')).toBe('[]');
}, 60_000);
