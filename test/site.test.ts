import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser } from './support/launchBrowser.ts';

const root = new URL('..', import.meta.url).pathname;
const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
};

let site: string;
let server: Server;
let browser: Browser;

beforeAll(async () => {
  mkdirSync(join(root, 'coverage'), { recursive: true });
  site = mkdtempSync(join(root, 'coverage', 'site-'));
  const launching = launchBrowser();
  // A dead link between pages fails the build. Minifying takes a third of the time.
  const build = [
    'node_modules/vitepress/bin/vitepress.js',
    'build',
    'docs',
    '--minify',
    'false',
    '--outDir',
    site,
  ];
  await promisify(execFile)(process.execPath, build, {
    cwd: root,
    env: { ...process.env, DOCS_WITHOUT_API: '1' },
    timeout: 150_000,
    maxBuffer: 2 ** 24,
  });
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = pathname === '/' ? '/index.html' : extname(pathname) ? pathname : `${pathname}.html`;
    try {
      const body = readFileSync(join(site, file));
      response
        .writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' })
        .end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await launching;
}, 180_000);
afterAll(async () => {
  await browser?.close();
  server?.close();
  rmSync(site, { recursive: true, force: true });
});

test('opens in a browser, finds an error code, and asks nothing of other hosts', async () => {
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() !== 'info') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`));
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`);
  });
  page.on('request', (request) => {
    const { origin: asked, protocol } = new URL(request.url());
    if (asked !== origin && protocol !== 'data:') problems.push(`foreign: ${request.url()}`);
  });

  await page.goto(origin);
  expect(await page.locator('h1').textContent()).toContain('algernon-middy');
  await page.locator('.VPHero .action').first().click();
  await page.locator('h1', { hasText: 'Your first chain' }).waitFor();

  await page.locator('.VPNavBarSearch button').click();
  await page.locator('.VPLocalSearchBox input').fill('DUPLICATE_STAGE');
  const first = page.locator('.VPLocalSearchBox .result').first();
  await first.filter({ hasText: 'Setting up' }).click();
  await page.locator('h1', { hasText: 'Errors' }).waitFor();
  expect(await page.locator('td', { hasText: 'DUPLICATE_STAGE' }).first().isVisible()).toBe(true);
  expect(problems).toEqual([]);
}, 60_000);

test('every link to a heading has a target in the built pages', () => {
  const pages = readdirSync(site).filter((name) => name.endsWith('.html'));
  const texts = new Map(pages.map((name) => [name, readFileSync(join(site, name), 'utf8')]));
  const links = pages.flatMap((page) =>
    [...(texts.get(page) ?? '').matchAll(/href="(\/[\w-]*(?:\.html)?)?#([^"]+)"/g)].map(
      ([, path, id = '']) => ({
        page,
        target: path === undefined ? page : `${path.slice(1).replace('.html', '') || 'index'}.html`,
        id: decodeURIComponent(id),
      }),
    ),
  );
  expect(links.length).toBeGreaterThan(100);
  const hasTarget = ({ target, id }: (typeof links)[number]) =>
    texts.get(target)?.includes(`id="${id}"`) || id === 'VPContent';
  expect(links.filter((link) => !hasTarget(link))).toEqual([]);
});

test('has its pages as text for language models', () => {
  const list = readFileSync(join(site, 'llms.txt'), 'utf8');
  const links = [...list.matchAll(/^- \[.+\]\((.+)\): .+\.$/gm)].map(([, file = '']) => file);
  const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md') && name !== 'index.md');
  expect(links.toSorted()).toEqual(docs.toSorted());
  const whole = readFileSync(join(site, 'llms-full.txt'), 'utf8');
  for (const file of links) expect(whole).toContain(readFileSync(join(site, file), 'utf8').trim());
});
