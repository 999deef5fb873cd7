/**
 * Builds the JavaScript in dist/: `node build.ts`.
 *
 * Left to itself, esbuild cuts what entry points share into a file for every set of them, and each file costs half
 * a millisecond of a cold start. So what `sqsSnsUnwrap` takes is put in one file, and most of core in another; bundlers
 * still take out of both only what is used.
 */
import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

const options = {
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node22',
  sourcemap: true,
  outbase: '.',
  outdir: 'dist',
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** The built file that has a source in it, of those that are settled. */
const placed = new Map<string, string>();

/** Makes an import of such a source one of that file. All that is built is one folder deep. */
const fromPlaced: Plugin = {
  name: 'from placed',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir, kind }) => {
      if (kind === 'entry-point') return undefined;
      const file = placed.get(resolve(resolveDir, path));
      return file === undefined ? undefined : { path: `../${file}`, external: true };
    }),
};

/** The sources that each source imports, by its name. */
async function imports(entryPoints: string[]): Promise<Metafile['inputs']> {
  const { metafile } = await build({ ...options, entryPoints, write: false, metafile: true });
  return metafile.inputs;
}

/** A source, and all that it takes. */
function reach(inputs: Metafile['inputs'], source: string, found = new Set<string>()): Set<string> {
  if (found.has(source)) return found;
  found.add(source);
  for (const { path, external } of inputs[source]?.imports ?? []) if (!external) reach(inputs, path, found);
  return found;
}

/** Puts sources in one file. */
async function place(chunk: string, sources: readonly string[]): Promise<void> {
  const contents = sources.map((source) => `export * from './${source}';`).join('\n');
  await build({
    ...options,
    stdin: { contents, resolveDir: '.', sourcefile: `${chunk}.ts` },
    outdir: 'dist/chunks',
    entryNames: chunk,
    plugins: [fromPlaced],
  });
  for (const source of sources) placed.set(resolve(source), `chunks/${chunk}.js`);
}

rmSync('dist', { recursive: true, force: true });
const middlewares = readdirSync('middlewares').filter((file) => file.endsWith('.ts'));
const entryPoints = [
  'core/index.ts',
  'local/index.ts',
  'local/testing.ts',
  'local/cli.ts',
  ...middlewares.map((file) => `middlewares/${file}`),
];
const inputs = await imports(entryPoints);
await place('kernel', [...reach(inputs, 'middlewares/sqsSnsUnwrap.ts')].slice(1));
const pure = Object.keys(inputs).filter(
  (source) => source.startsWith('core/') && !source.endsWith('/index.ts') && !placed.has(resolve(source)),
);
// What only groups take is imported by the first message that needs it, so it must not be in a file that is always loaded.
const exported = reach(inputs, 'core/index.ts');
const isLate = (source: string) => source.startsWith('core/groups/') && !exported.has(source);
await place(
  'core',
  pure.filter((source) => !isLate(source)),
);
await place('groups', pure.filter(isLate));
for (const entry of entryPoints) placed.set(resolve(entry), entry.replace(/ts$/, 'js'));
await build({ ...options, entryPoints, splitting: true, chunkNames: 'chunks/[hash]', plugins: [fromPlaced] });

/** Leaves each import of a source as one of its own built file. */
const besideEachOther: Plugin = {
  name: 'beside each other',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\.?\// }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path: path.replace(/ts$/, 'js'), external: true },
    ),
};

// Bundlers take these files, by the condition `module` in package.json: they split code between files, not within one.
await build({
  ...options,
  entryPoints: Object.keys(inputs).filter((source) => !source.startsWith('local/')),
  outdir: 'dist/modules',
  // The package has the sources.
  sourcesContent: false,
  plugins: [besideEachOther],
});

/** The page of the dev server, for browsers that are two years old. Its licences allow a bundle that names its parts. */
const page = 'local/dev/page';
await build({
  entryPoints: [`${page}/app.ts`, `${page}/app.css`],
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome123', 'firefox125', 'safari17.5'],
  banner: { js: '/*! with preact (MIT) and htm (Apache-2.0), both by Jason Miller */' },
  legalComments: 'none',
  outdir: `dist/${page}`,
  logLevel: 'warning',
});
copyFileSync(`${page}/index.html`, `dist/${page}/index.html`);
