import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A part of a file as ranges of StrykerJS, `file:first-last`: whole declarations, chosen by a hash of their text. */
export function sampled(root: string, file: string, percent: number): string[] {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  const starts = lines.flatMap((line, at) =>
    at === 0 || (lines[at - 1] === '' && /^\S/.test(line)) ? [at] : [],
  );
  return starts.flatMap((first, index) => {
    const end = starts[index + 1] ?? lines.length;
    const hash = createHash('sha256')
      .update(file + lines.slice(first, end).join('\n'))
      .digest();
    return hash.readUInt32BE() / 2 ** 32 < percent / 100 ? [`${file}:${first + 1}-${end}`] : [];
  });
}
