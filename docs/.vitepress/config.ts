import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DefaultTheme, MarkdownOptions, UserConfig } from 'vitepress';
import { apiModules, sections } from './pages.ts';
import { writeLlms } from './writeLlms.ts';

const docs = fileURLToPath(new URL('..', import.meta.url));
const { description, repository } = JSON.parse(readFileSync(join(docs, '../package.json'), 'utf8'));
/** The gate builds the site without the reference, which takes as long as the rest. */
const modules = process.env.DOCS_WITHOUT_API ? [] : apiModules();

/** As on the hosts of repositories, so that a link to a heading works there and here. */
const slugify = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');

/** A code such as `NOT_UNWRAPPED` is one word of the search. VitePress sends the function to the browser as text. */
const tokenize = (text: string) => text.split(/[^\p{L}\p{N}_]+/u);

/** Who looks for a code wants its cause and cure. */
const boostDocument = (id: string) => (id.startsWith('/errors') ? 3 : id.startsWith('/api/') ? 0.5 : 1);

/** Links that leave docs/ lead to the repository, if package.json names it, and are plain text otherwise. */
const leaveDocs: NonNullable<MarkdownOptions['config']> = (md) => {
  md.core.ruler.push('leave-docs', ({ tokens, env }) => {
    const folder = posix.dirname(env.relativePath ?? '');
    for (const { children } of tokens) {
      const isOutside: boolean[] = [];
      for (const token of children ?? []) {
        if (token.type === 'link_open') {
          const path = posix.join('docs', folder, token.attrGet('href') ?? '');
          const leaves = token.attrGet('href')?.startsWith('../') === true && !path.startsWith('docs/');
          isOutside.push(leaves && !repository);
          if (leaves && repository) token.attrSet('href', `${repository.url}/blob/main/${path}`);
          if (isOutside.at(-1)) [token.type, token.tag, token.hidden] = ['text', '', true];
        } else if (token.type === 'link_close' && isOutside.pop()) {
          [token.type, token.tag, token.hidden] = ['text', '', true];
        }
      }
    }
  });
};

const sidebar: DefaultTheme.SidebarItem[] = sections().map(({ title, pages }) => ({
  text: title,
  items: pages.map((page) => ({ text: page.title, link: `/${page.name}` })),
}));
if (modules.length > 0) {
  const items = modules.map((name) => ({ text: name, link: `/api/${name}` }));
  sidebar.push({ text: 'API', link: '/api/', collapsed: true, items });
}

const config: UserConfig<DefaultTheme.Config> = {
  title: 'algernon-middy',
  description,
  lang: 'en',
  srcExclude: modules.length > 0 ? [] : ['api/**'],
  markdown: { anchor: { slugify }, config: leaveDocs },
  buildEnd: ({ outDir }) => writeLlms(outDir),
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/first-chain' },
      { text: 'Errors', link: '/errors' },
      ...(modules.length > 0 ? [{ text: 'API', link: '/api/' }] : []),
    ],
    sidebar,
    outline: [2, 3],
    search: {
      provider: 'local',
      options: {
        miniSearch: {
          options: { tokenize },
          searchOptions: {
            fuzzy: 0.1,
            prefix: true,
            combineWith: 'AND',
            boost: { title: 4, titles: 2 },
            boostDocument,
          },
        },
      },
    },
  },
};
export default config;
