import { readFileSync } from 'node:fs';

export interface CodeBlock {
  /** The file that the page says it is, `<!-- file: worker.ts -->`, or one of its own. */
  file: string;
  code: string;
}

/** The TypeScript in a page of the docs, block by block. */
export function codeBlocks(page: string): CodeBlock[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  const blocks = text.matchAll(/(?:<!-- file: (\S+) -->\n+)?^```ts\n(.*?)^```$/gms);
  return [...blocks].map(([, file, code = ''], index) => ({ file: file ?? `block${index + 1}.ts`, code }));
}
