import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { bundleVectors } from './bundleVectors.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome'];
const chromium = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => names.map((name) => join(folder, name)))
  .find((path) => existsSync(path));

test('the bundle uses only the language, URL and base64', async () => {
  const realm: { verdict?: unknown } = { URL, atob, btoa } as object;
  runInNewContext(await bundleVectors(), realm);
  expect(JSON.stringify(realm.verdict)).toBe('[]');
});

const inBrowser = chromium ? test : test.skip;

inBrowser(
  `the vectors hold in a browser${chromium ? '' : ' (skipped: Chromium is not installed)'}`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ajson-browser-'));
    try {
      const script = (await bundleVectors()).replaceAll('</script', '<\\/script');
      const page = join(folder, 'page.html');
      writeFileSync(
        page,
        `<!doctype html><meta charset="utf-8"><body><script>${script}</script>
       <script>document.body.textContent = 'verdict:' + JSON.stringify(globalThis.verdict) + ':end';</script>`,
      );
      const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
      const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];
      const profile = `--user-data-dir=${join(folder, 'profile')}`;
      const shown = execFileSync(
        chromium as string,
        [...flags, ...quiet, profile, '--dump-dom', `file://${page}`],
        {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
          timeout: 60_000,
        },
      );
      expect(/verdict:(.*):end/s.exec(shown)?.[1]).toBe('[]');
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  },
  90_000,
);
