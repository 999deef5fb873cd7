import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Page, sections } from './pages.ts';

const summary =
  'Task chains on AWS Lambda, as a collection of Middy middlewares: SNS, SQS and S3 between the tasks, each record of a batch on its own.';

/** Writes what language models read: a list of the pages, the pages as Markdown, and all of them in one file. */
export function writeLlms(outDir: string): void {
  const all = sections();
  const lists = all.map(({ title, pages }) => `## ${title}\n\n${pages.map(line).join('\n')}\n`);
  writeFileSync(join(outDir, 'llms.txt'), `# algernon-middy\n\n> ${summary}\n\n${lists.join('\n')}`);
  const pages = all.flatMap((section) => section.pages);
  for (const { name } of pages) {
    copyFileSync(new URL(`../${name}.md`, import.meta.url), join(outDir, `${name}.md`));
  }
  writeFileSync(join(outDir, 'llms-full.txt'), pages.map(({ text }) => text).join('\n'));
}

function line({ name, title, text }: Page): string {
  return `- [${title}](${name}.md): ${firstSentence(text)}`;
}

/** The first sentence of the first paragraph, as plain text. */
function firstSentence(text: string): string {
  const paragraphs = text.replace(/^```.*?^```$/gms, '').split(/\n\n+/);
  const paragraph = paragraphs.map((block) => block.trim()).find((block) => /^[A-Z`*]/.test(block)) ?? '';
  const plain = paragraph.replace(/\s+/g, ' ').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  return /^.*?[.:](?= |$)/.exec(plain)?.[0].replace(/:$/, '.') ?? plain;
}
