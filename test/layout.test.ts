import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';

interface Import {
  readonly from: string;
  /** A path from the root of the repository, or the name of a package. */
  readonly to: string;
  /** Whether the import is type-only, and so absent at run time. */
  readonly isType: boolean;
}

const root = new URL('../', import.meta.url).pathname;
const layers = ['core', 'middlewares', 'local'];
const files = layers.flatMap((layer) =>
  readdirSync(join(root, layer), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(layer, name)),
);
const imports = files.flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')));
const atRunTime = imports.filter(({ isType }) => !isType);

function importsOf(from: string, source: string): Import[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const statements = code.matchAll(
    /^(?:import|export)\s+(?:(type\s+)?(\{[^}]*\}|\*(?:\s+as\s+\w+)?|\w+)\s+from\s+)?'([^']+)'/gm,
  );
  const dynamic = code.matchAll(/\bimport\('([^']+)'\)/g);
  return [
    ...[...statements].map(([, type, names = '', to = '']) => ({
      from,
      to: resolve(from, to),
      isType: type !== undefined || isTypesOnly(names),
    })),
    ...[...dynamic].map(([, to = '']) => ({ from, to: resolve(from, to), isType: false })),
  ];
}

function isTypesOnly(names: string): boolean {
  const listed = /^\{([^}]*)\}\s*$/.exec(names)?.[1]?.split(',') ?? [];
  const named = listed.map((name) => name.trim()).filter(Boolean);
  return named.length > 0 && named.every((name) => name.startsWith('type '));
}

function resolve(from: string, to: string): string {
  return to.startsWith('.') ? join(dirname(from), to) : to;
}

function show({ from, to }: Import): string {
  return `${from} → ${to}`;
}

function layerOf(path: string): number {
  return layers.indexOf(path.split('/')[0] as string);
}

/** The first import cycle among the files, as a path that ends at its start. */
function findCycle(all: readonly Import[]): string[] {
  const next = Map.groupBy(all, ({ from }) => from);
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const { to } of next.get(file) ?? []) {
      const cycle = visit(to, [...path, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  return [...next.keys()].map((file) => visit(file, [])).find((cycle) => cycle.length > 0) ?? [];
}

test('the scanner sees imports, exports and types', () => {
  const source = `
    import { a, type B } from './b.ts';
import { c, type D } from '../core/c.ts';
import { type E } from 'e';
import type { F } from 'f';
import 'g';
export * from './h.ts';
// import './comment.ts';
const i = () => import('i');
`;
  expect(importsOf('local/a.ts', source).map(({ to, isType }) => [to, isType])).toEqual([
    ['core/c.ts', false],
    ['e', true],
    ['f', true],
    ['g', false],
    ['local/h.ts', false],
    ['i', false],
  ]);
  expect(imports.length).toBeGreaterThan(400);
});

test('finds a cycle', () => {
  const of = (from: string, to: string) => ({ from, to, isType: false });
  expect(findCycle([of('a', 'b'), of('b', 'c'), of('c', 'b')])).toEqual(['b', 'c', 'b']);
  expect(findCycle([of('a', 'b'), of('b', 'c'), of('a', 'c')])).toEqual([]);
});

test('local/ imports middlewares/, middlewares/ imports core/, never the other way', () => {
  const inside = imports.filter(({ to }) => layerOf(to) >= 0);
  expect(inside.filter(({ from, to }) => layerOf(to) > layerOf(from)).map(show)).toEqual([]);
});

test('core/ imports neither Node nor a package', () => {
  const ofCore = imports.filter(({ from }) => layerOf(from) === 0);
  expect(ofCore.filter(({ to }) => layerOf(to) !== 0).map(show)).toEqual([]);
});

test('a middleware imports no value of another middleware', () => {
  const isMiddleware = (path: string) => /^middlewares\/[^/]+\.ts$/.test(path) && !path.endsWith('/index.ts');
  const between = atRunTime
    .filter(({ to }) => isMiddleware(to))
    .filter(({ from }) => layerOf(from) < 2 && !from.endsWith('index.ts'));
  expect(between.map(show)).toEqual([]);
});

test('only the logger and lambdaLogged import the logger', () => {
  const ofLogger = atRunTime.filter(({ to }) => to.startsWith('middlewares/logging/'));
  const others = ofLogger.filter(
    ({ from }) => !/^middlewares\/(logging\/|(lambdaLogged|xrayTracing)\.ts)/.test(from),
  );
  expect(others.map(show)).toEqual([]);
});

test('no import cycle at run time', () => {
  expect(findCycle(atRunTime)).toEqual([]);
});

test('no file has more than 300 lines', () => {
  const linesOf = (file: string) => readFileSync(join(root, file), 'utf8').split('\n').length - 1;
  const long = files.filter((file) => linesOf(file) > 300);
  expect(long).toEqual([]);
});
