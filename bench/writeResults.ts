import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

const page = new URL('../docs/benchmarks.md', import.meta.url);
const opening = `# Benchmarks

Each part is written here by the command that measures it, \`npm run bench -- <part> --write\`. Times are of one machine:
what can be compared is the proportions.
`;

/** Replaces the section of a part in docs/benchmarks.md, with the date and the machine. */
export function writeResults(part: string, text: string): void {
  const date = new Date().toISOString().slice(0, 10);
  const machine = `${cpus()[0]?.model ?? process.arch}, ${availableParallelism()} cores, ${process.platform}, Node ${process.version}`;
  const section = `## ${part}\n\nMeasured on ${date}: ${machine}.\n\n${text.trim()}\n`;
  const [head = opening, ...sections] = existsSync(page) ? readFileSync(page, 'utf8').split(/^(?=## )/m) : [];
  const index = sections.findIndex((section) => section.startsWith(`## ${part}\n`));
  sections.splice(index === -1 ? sections.length : index, 1, section);
  writeFileSync(
    page,
    [head, ...sections]
      .map((section) => section.trim())
      .join('\n\n')
      .concat('\n'),
  );
}
