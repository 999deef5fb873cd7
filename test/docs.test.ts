import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import yaml from 'js-yaml';
import * as local from '../local/index.ts';
import * as testing from '../local/testing.ts';
import * as whole from '../middlewares/index.ts';
import { codeBlocks } from './support/codeBlocks.ts';

const root = new URL('..', import.meta.url).pathname;
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs')).map((name) => join('docs', name)),
].filter((name) => name.endsWith('.md'));

let folder: string;
beforeAll(() => {
  mkdirSync(join(root, 'coverage'), { recursive: true });
  // A folder within the project, which git ignores, so that its packages are found.
  folder = mkdtempSync(join(root, 'coverage', 'docs-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('every TypeScript block in the docs compiles', () => {
  const files = pages.flatMap((page) => {
    const pageFolder = join(folder, page.replaceAll('/', '-').replace('.md', ''));
    mkdirSync(pageFolder);
    return codeBlocks(page).map(({ file, code }) => {
      writeFileSync(join(pageFolder, file), `${code}\nexport {};\n`);
      return join(pageFolder, file);
    });
  });
  expect(files.length).toBeGreaterThan(10);
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      rootDir: root,
      isolatedDeclarations: false,
      declaration: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      erasableSyntaxOnly: false,
      paths: {
        'algernon-middy': [join(root, 'middlewares/index.ts')],
        'algernon-middy/core': [join(root, 'core/index.ts')],
        'algernon-middy/local': [join(root, 'local/index.ts')],
        'algernon-middy/testing': [join(root, 'local/testing.ts')],
        'algernon-middy/middlewares/*': [join(root, 'middlewares/*.ts')],
      },
    },
    include: [],
    files,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  let output = '';
  try {
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder, '--pretty', 'false'], {
      encoding: 'utf8',
      timeout: 120_000,
    });
  } catch (error) {
    output = String((error as { stdout?: string }).stdout);
  }
  expect(output).toBe('');
});

/** Blocks that local AWS cannot run, or that need a package which is not installed here. */
const notRunnable = /\btopicsFromSsm\(|\bschedule:|DynamoDB|from 'aws-cdk-lib/;

test('the TypeScript blocks in the docs run against local AWS', () => {
  const names = new Set<string>();
  const skipped: string[] = [];
  const files = pages.flatMap((page) => {
    const pageFolder = join(folder, 'run', page.replaceAll('/', '-').replace('.md', ''));
    mkdirSync(pageFolder, { recursive: true });
    return codeBlocks(page).flatMap(({ file, code }) => {
      // The blocks with other names are whole files, which package.test, runners.test and bundlers.test run.
      const isAlone = file === 'worker.ts' || file.startsWith('block');
      if (!isAlone) return [];
      if (notRunnable.test(code)) {
        skipped.push(`${page}: ${file}`);
        return [];
      }
      for (const [, name = ''] of code.matchAll(/:\d{12}:([\w-]+)/g)) names.add(name);
      for (const [, name = ''] of code.matchAll(/task_name: '([\w-]+)'/g)) names.add(name);
      const here = code.replaceAll(':123456789012:', ':000000000000:').replaceAll('eu-west-1', 'us-east-1');
      const path = join(pageFolder, file);
      writeFileSync(path, `${here}\nexport {};\n`);
      return [path];
    });
  });
  const script = `
    import { CreateBucketCommand } from '@aws-sdk/client-s3';
    import { CreateTopicCommand } from '@aws-sdk/client-sns';
    import { CreateQueueCommand } from '@aws-sdk/client-sqs';
    import { startLocalAws } from 'algernon-middy/local';
    const aws = await startLocalAws();
    Object.assign(process.env, aws.env);
    for (const name of ${JSON.stringify([...names])}) {
      await aws.sns.send(new CreateTopicCommand({ Name: name }));
      await aws.sqs.send(new CreateQueueCommand({ QueueName: name }));
    }
    await aws.s3.send(new CreateBucketCommand({ Bucket: 'results' }));
    const failed = [];
    for (const file of ${JSON.stringify(files)}) {
      await import(file).catch((error) => failed.push(file + ': ' + error));
    }
    console.error('failed:' + JSON.stringify(failed));
    process.exit();`;
  writeFileSync(join(folder, 'run', 'run.mjs'), script);
  const { stderr } = spawnSync(process.execPath, [join(folder, 'run', 'run.mjs')], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(/^failed:(.*)$/m.exec(stderr)?.[1] ?? stderr).toBe('[]');
  expect(files.length).toBeGreaterThan(40);
  expect(skipped.length).toBeLessThan(files.length / 6);
}, 90_000);

test('every JSON block in the docs is JSON, and every shell block parses', () => {
  for (const page of pages) {
    for (const { code } of codeBlocks(page, 'json')) {
      // One value, or one on each line.
      const values = code.trim().includes('\n{') ? code.trim().split('\n') : [code];
      for (const value of values) expect(() => JSON.parse(value)).not.toThrow();
    }
    for (const { code } of codeBlocks(page, 'sh')) {
      expect({ page, ...spawnSync('bash', ['-n'], { input: code }) }).toMatchObject({ page, status: 0 });
    }
  }
});

test('every npm script and command of ours in the docs and workflows exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const commands = readdirSync(join(root, 'local/cli/commands')).map((name) =>
    name.replace('.ts', '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
  );
  const workflows = readdirSync(join(root, '.github/workflows')).map((name) =>
    join('.github/workflows', name),
  );
  for (const file of workflows)
    expect(yaml.load(readFileSync(join(root, file), 'utf8'))).toHaveProperty('jobs');
  const unknown = [...pages, ...workflows].flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    return [
      ...[...text.matchAll(/\bnpm run (?!--)([\w:]+)/g)].filter(([, name = '']) => !(name in scripts)),
      ...[...text.matchAll(/\bnpx algernon-middy ([\w-]+)/g)].filter(
        ([, name = '']) => !commands.includes(name),
      ),
    ].map(([found]) => `${page}: ${found}`);
  });
  expect(unknown).toEqual([]);
});

test('every link between pages has a target', () => {
  const dead = pages.flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(([, link = '']) => link);
    return links
      .filter((link) => !existsSync(join(root, dirname(page), link)))
      .map((link) => `${page}: ${link}`);
  });
  expect(dead).toEqual([]);
});

test('every link to a heading has a target', () => {
  const headings = (page: string) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, text = '']) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    );
  const dead = pages.flatMap((page) => {
    const links = readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)\s:#]*)#([^)\s]+)\)/g);
    return [...links]
      .filter(([, file = '', heading = '']) => {
        const target = file ? join(dirname(page), file) : page;
        return target.endsWith('.md') && !headings(target).includes(heading);
      })
      .map(([link]) => `${page}: ${link}`);
  });
  expect(dead).toEqual([]);
});

test('docs/stages.md starts with a complete middleware of at most 20 lines', () => {
  const [first] = codeBlocks('docs/stages.md');
  expect(first?.code).toMatch(/stageMiddleware\(\{.*around\(run, next\)/s);
  expect(first?.code.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
});

test('every class in the docs is registered with a name, since a minifier would change it', () => {
  const registrations = pages.flatMap((page) => [
    ...readFileSync(join(root, page), 'utf8').matchAll(/\bregister\(\w+, \{[^}]*\}/g),
  ]);
  expect(registrations.length).toBeGreaterThan(3);
  for (const [registration] of registrations) expect(registration).toMatch(/\bname\b/);
});

test('every export is mentioned in the docs', () => {
  const docs = pages
    .filter((page) => page !== 'CHANGELOG.md')
    .map((page) => readFileSync(join(root, page), 'utf8'))
    .join();
  const mentioned = new Set(docs.split(/\W+/));
  expect(Object.keys({ ...whole, ...local, ...testing }).filter((name) => !mentioned.has(name))).toEqual([]);
});

/** Upper-case names that are not error codes. */
const otherNames = [
  'ALGERNON_BUCKET_NAME',
  'CACHE_FOLDER_NAME',
  'ERR_MODULE_NOT_FOUND',
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_DIR_IMPORT',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'MODULE_NOT_FOUND',
];

/** The error codes in the sources, recognised as an argument, as a type or by their form. */
function codesInSources(): Set<string> {
  const codes = new Set<string>();
  for (const folder of ['core', 'middlewares', 'local']) {
    for (const name of readdirSync(join(root, folder), { recursive: true }) as string[]) {
      if (!name.endsWith('.ts')) continue;
      const source = readFileSync(join(root, folder, name), 'utf8');
      const found = [
        ...source.matchAll(/(?:\w*Error|\bsuper)\(\s*'([A-Z][A-Z_]+)'/g),
        ...source.matchAll(/\bcode: '([A-Z][A-Z_]+)'/g),
        ...source.matchAll(/'([A-Z]+(?:_[A-Z]+)+)'/g),
      ];
      for (const [, code = ''] of found) codes.add(code);
      const [, kinds = ''] = source.match(/type AjsonErrorKind = ([^;]+);/) ?? [];
      for (const [, kind = ''] of kinds.matchAll(/'(\w+)'/g)) codes.add(`AJSON_${kind.toUpperCase()}`);
    }
  }
  for (const name of otherNames) codes.delete(name);
  return codes;
}

test('docs/errors.md lists exactly the error codes of the sources', () => {
  const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');
  const documented = [...page.matchAll(/^\| `([A-Z][A-Z_]+)` \|/gm)].map(([, code]) => code);
  const codes = codesInSources();
  expect(codes.size).toBeGreaterThan(40);
  expect(documented.toSorted()).toEqual([...codes].sort());
});
