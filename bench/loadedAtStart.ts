import type { Metafile } from 'esbuild';

/** The files of a bundle that its entry loads at import, the entry first: not those behind an `import()`. */
export function loadedAtStart(outputs: Metafile['outputs'], entry: string): Set<string> {
  const loaded = new Set<string>();
  const load = (file: string) => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const { path, kind, external } of outputs[file]?.imports ?? []) {
      if (kind === 'import-statement' && !external) load(path);
    }
  };
  load(entry);
  return loaded;
}
