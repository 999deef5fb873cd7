import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = new URL('../..', import.meta.url).pathname;
const pages = globSync('examples/{,*/}README.md', { cwd: root });

test('every link in the READMEs of the examples has a target', () => {
  expect(pages.length).toBeGreaterThanOrEqual(6);
  const dead = pages.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !existsSync(join(root, dirname(page), link)))
      .map((link) => `${page}: ${link}`),
  );
  expect(dead).toEqual([]);
});
