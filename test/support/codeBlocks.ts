import { readFileSync } from 'node:fs';

export interface CodeBlock {
  /** The file named by `<!-- file: worker.ts -->`, or a generated name. */
  file: string;
  code: string;
}

/** The TypeScript blocks of a page. */
export function codeBlocks(page: string): CodeBlock[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  const blocks = text.matchAll(/(?:<!-- file: (\S+) -->\n+)?^```ts\n(.*?)^```$/gms);
  return [...blocks].map(([, file, code = ''], index) => ({ file: file ?? `block${index + 1}.ts`, code }));
}
