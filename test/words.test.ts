import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = new URL('..', import.meta.url).pathname;

/** Phrasings that readers must decode, by what to write instead. */
const phrasings: Record<string, RegExp> = {
  'begin with the subject, not with a clause': /(?<=^|[.;:] )(?:What|Whatever|Whoever) (?!it )[a-z]+/gm,
  '"is not a …"': /(?<!\bthere )\b(?:is|are|was|were) no (?!longer|more|one\b)[a-z]+/gi,
  '"must …", or the verb itself': /\b(?:is|are) (?:not )?to be \w+/g,
  '"is"': /\b(?:lies|stands|stood|lay) (?:in|at|there|where|behind|beside|for it|elsewhere)\b/g,
  'a plain statement': /nothing to say|\bleads? nowhere|of no matter|\bsays? so\b/g,
  '"separate", or nothing': /\bof (?:one's|its|their|another's) own\b/g,
  '"about", or the fact': /\btells? of\b|\btold of\b/g,
  'the plain quantity': /\bhowever (?:many|often|deep|wide|large|little)\b|\bwhose place\b/g,
};

/** In 1,000 words. Libraries whose docs read well have 0.0 to 0.2. */
const atMost = 0.2;

function filesIn(folder: string, extension: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => extension.test(name) && !/(?:^|\/)(?:api|node_modules|\.vitepress)\//.test(name))
    .map((name) => join(folder, name));
}

/** The prose of a page, or the comments of a source, as paragraphs of one line. */
function proseOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  if (file.endsWith('.md')) return paragraphs(text.replace(/^(?:```.*?^```|---\n.*?^---)$/gms, ''));
  const comments = text.match(/\/\*[\s\S]*?\*\/|(?:^\s*\/\/.*\n)+|(?<=\s)\/\/ .*$/gm) ?? [];
  return comments.flatMap((comment) =>
    paragraphs(comment.replace(/^\s*(?:\/\*\*?|\*\/|\*|\/\/) ?|\*\/$/gm, '')),
  );
}

function paragraphs(text: string): string[] {
  return text.split(/\n\s*\n|\n(?=[-|#@] ?)/).map((paragraph) => paragraph.replace(/\s+/g, ' ').trim());
}

function countIn(paragraph: string): string[] {
  return Object.entries(phrasings).flatMap(([advice, pattern]) =>
    [...paragraph.matchAll(pattern)].map(([found]) => `"${found}": write ${advice}`),
  );
}

test('the patterns find what they are for', () => {
  const bad = [
    'What comes later is lost.',
    'This is no task.',
    'The record is to be read.',
    'It lies in the bucket.',
    'The rest is of no matter.',
    'It has a bucket of its own.',
    'The error tells of it.',
    'It works however many there are.',
  ];
  expect(bad.map((sentence) => countIn(sentence).length)).toEqual(bad.map(() => 1));
  expect(countIn('There is no need to read it: the record is no longer there.')).toEqual([]);
  expect(proseOf('core/groups/climb.ts').join(' ').length).toBeGreaterThan(500);
});

test.each([
  ['the docs', ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', ...filesIn('docs', /\.md$/)]],
  ['core', filesIn('core', /\.ts$/)],
  ['middlewares', filesIn('middlewares', /\.ts$/)],
  ['local', filesIn('local', /\.ts$/)],
  [
    'examples, tests and benchmarks',
    [...filesIn('examples', /\.(?:ts|md)$/), ...filesIn('test', /\.ts$/), ...filesIn('bench', /\.ts$/)],
  ],
])('%s have few phrasings that a reader must decode', (_, files) => {
  let words = 0;
  const found: string[] = [];
  for (const file of files) {
    for (const paragraph of proseOf(file)) {
      words += paragraph.match(/[A-Za-z']+/g)?.length ?? 0;
      found.push(...countIn(paragraph).map((phrase) => `${file}: ${phrase}`));
    }
  }
  expect({ tooMany: (found.length / words) * 1000 > atMost, found }).toEqual({ tooMany: false, found });
});
