import { dirname, join } from 'node:path';
import ts from 'typescript-5';

const root = new URL('../..', import.meta.url).pathname;

/**
 * Finds the exports of modules, and the members of their interfaces, options and classes, that have no doc comment, which
 * editors show on hover.
 *
 * @param files modules, from the root of the repository
 * @returns the names, such as `SendTaskOptions.at`
 */
export function undocumented(files: readonly string[]): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ESNext,
    noLib: true,
    allowImportingTsExtensions: true,
  };
  const host = ts.createCompilerHost(options);
  // Other packages are left out: parsing the AWS SDK would take seconds.
  host.resolveModuleNameLiterals = (names, importer) =>
    names.map(({ text }) => ({
      resolvedModule: text.startsWith('.')
        ? {
            resolvedFileName: join(dirname(importer), text),
            extension: '.ts',
            isExternalLibraryImport: false,
          }
        : undefined,
    }));
  const program = ts.createProgram(
    files.map((file) => join(root, file)),
    options,
    host,
  );
  const checker = program.getTypeChecker();
  const missing = new Set<string>();
  const check = (symbol: ts.Symbol, name: string) => {
    if (symbol.getDocumentationComment(checker).length === 0) missing.add(name);
  };

  for (const file of files) {
    const source = program.getSourceFile(join(root, file));
    const module = source && checker.getSymbolAtLocation(source);
    for (const exported of module ? checker.getExportsOfModule(module) : []) {
      const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
      const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported;
      if (!symbol.declarations) continue;
      check(symbol, exported.name);
      if ((symbol.flags & ts.SymbolFlags.Type) === 0) continue;
      for (const member of checker.getDeclaredTypeOfSymbol(symbol).getProperties()) {
        if (isOurs(member)) check(member, `${exported.name}.${member.name}`);
      }
    }
  }
  return [...missing].sort();
}

/** Whether a member is declared in this repository, and neither private nor the name of a symbol. */
function isOurs({ name, declarations = [] }: ts.Symbol): boolean {
  return (
    !name.startsWith('__') &&
    !name.startsWith('#') &&
    declarations.every((node) => node.getSourceFile().fileName.startsWith(root))
  );
}
