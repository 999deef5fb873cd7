import { readdirSync, readFileSync } from 'node:fs';

export interface Page {
  /** The file without `.md`. */
  name: string;
  title: string;
  /** Its text without frontmatter. */
  text: string;
}

export interface Section {
  title: string;
  pages: Page[];
}

const folder = new URL('..', import.meta.url);

/** The order in which a reader needs the pages. */
const order: Record<string, string[]> = {
  Start: ['first-chain', 'testing', 'dev', 'deploying', 'operating'],
  Chains: ['chains', 'sendTask', 'groups', 'idempotence', 'events', 'topics'],
  Middlewares: [
    'queued',
    'sqsSnsUnwrap',
    'storedDataHydrate',
    'contextResources',
    'callbackPublisher',
    'lambdaLogged',
    'failurePolicy',
    'extendedPayload',
    'stepFunctionsTask',
    'stages',
  ],
  'Coming from': ['existing-stack', 'from-powertools', 'from-python'],
  Tools: ['dev', 'local', 'cli'],
  Production: ['bundlers', 'performance', 'platform', 'security'],
  Help: ['troubleshooting', 'errors', 'commonjs'],
  Reference: ['ajson', 'benchmarks', 'architecture'],
};

/** The pages in docs/, by section. A page that no section names is at the end. */
export function sections(): Section[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.md') && name !== 'index.md')
    .map((name) => name.slice(0, -'.md'.length));
  const named = new Set(Object.values(order).flat());
  const rest = names.filter((name) => !named.has(name));
  return Object.entries(order).map(([title, listed]) => ({
    title,
    pages: [...listed.filter((name) => names.includes(name)), ...(title === 'Reference' ? rest : [])].map(
      read,
    ),
  }));
}

function read(name: string): Page {
  const text = readFileSync(new URL(`${name}.md`, folder), 'utf8').replace(/^---\n.*?\n---\n/s, '');
  return { name, title: /^# (.*)$/m.exec(text)?.[1]?.replaceAll('`', '') ?? name, text };
}
