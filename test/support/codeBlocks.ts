import { readFileSync } from 'node:fs';

/** The TypeScript in a page of the docs, block by block. */
export function codeBlocks(page: string): string[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);
}
