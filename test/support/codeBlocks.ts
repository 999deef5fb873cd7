import { readFileSync } from 'node:fs';

export interface CodeBlock {
  /** The file named by `<!-- file: worker.ts -->`, or a generated name. */
  file: string;
  code: string;
}

/** The blocks of a page in one language, TypeScript unless another is given. */
export function codeBlocks(page: string, language = 'ts'): CodeBlock[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  const blocks = text.matchAll(/(?:<!-- file: (\S+) -->\n+)?^```(\w+)\n(.*?)^```$/gms);
  return [...blocks]
    .filter(([, , found]) => found === language)
    .map(([, file, , code = ''], index) => ({ file: file ?? `block${index + 1}.${language}`, code }));
}
