import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;

export interface PackedProject {
  readonly folder: string;
  /** Makes a package missing, as an optional peer may be. */
  hide(name: string): void;
  remove(): void;
}

/**
 * Makes an empty project that has the packed package, without a registry: the packages that it needs are those of this
 * repository. The build must have been made.
 */
export function packedProject(): PackedProject {
  const folder = mkdtempSync(join(tmpdir(), 'algernon-middy-'));
  const modules = join(folder, 'node_modules');
  const own = join(modules, 'algernon-middy');
  mkdirSync(own, { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== 'algernon-middy' && name !== '.bin') {
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
    }
  }
  const packing = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [packed] = JSON.parse(execFileSync('npm', packing, { cwd: root, encoding: 'utf8', timeout: 60_000 }));
  const tarball = join(folder, packed.filename);
  execFileSync('tar', ['-xzf', tarball, '-C', own, '--strip-components=1']);
  rmSync(tarball);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  return {
    folder,
    hide(name) {
      const [scope = '', inScope] = name.split('/');
      const real = realpathSync(join(modules, scope));
      rmSync(join(modules, scope));
      if (inScope === undefined) return;
      mkdirSync(join(modules, scope));
      const others = readdirSync(real).filter((other) => other !== inScope);
      for (const other of others) symlinkSync(join(real, other), join(modules, scope, other));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
