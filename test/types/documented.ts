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
  const options: ts.CompilerOptions = { noLib: true, allowImportingTsExtensions: true };
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
  const paths = files.map((file) => join(root, file));
  const program = ts.createProgram(paths, options, host);
  const checker = program.getTypeChecker();
  const missing = new Set<string>();
  const check = (symbol: ts.Symbol, name: string) => {
    if (symbol.getDocumentationComment(checker).length === 0) missing.add(name);
  };

  const sources = paths.flatMap((path) => program.getSourceFile(path) ?? []);
  for (const exported of sources.flatMap((source) => exportsOf(source, checker))) {
    check(exported, exported.name);
    const type = checker.getDeclaredTypeOfSymbol(exported);
    for (const member of type.getProperties()) {
      const owner = ownerOf(member);
      if (owner !== undefined) check(member, `${owner}.${member.name}`);
    }
  }
  return [...missing].sort();
}

function exportsOf(source: ts.SourceFile, checker: ts.TypeChecker): ts.Symbol[] {
  const module = checker.getSymbolAtLocation(source);
  const exported = module ? checker.getExportsOfModule(module) : [];
  return exported
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
    .filter(({ declarations }) => declarations !== undefined);
}

/** The interface or class that declares a member; undefined if it needs no comment: the name of an error, or a symbol. */
function ownerOf({ name, declarations = [] }: ts.Symbol): string | undefined {
  const [node] = declarations;
  if (!node || name === 'prototype' || name.startsWith('__')) return undefined;
  const { parent } = node;
  if (name === 'name' && ts.isClassDeclaration(parent)) return undefined;
  const named =
    ts.isInterfaceDeclaration(parent) || ts.isClassDeclaration(parent) ? parent.name?.text : undefined;
  return named ?? node.getSourceFile().fileName.slice(root.length);
}
