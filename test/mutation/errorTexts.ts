/** The parts of Babel's NodePath that are used here. */
interface NodePath {
  readonly node: { readonly type: string; readonly [key: string]: unknown };
  readonly parentPath: NodePath | null;
}

interface Callee {
  readonly type: string;
  readonly name?: string;
  readonly property?: { readonly name?: string };
}

const PROSE = /[A-Za-z`,:)] [A-Za-z`$]/;
/** They throw, warn, or describe what an option must be: core/checkOptions.ts. */
const TELLERS = /^(?:badKey|fail|refuse|Super|warn|warnOnce|text|withMethod)$|Error$/;
/** The variables that hold such a text. */
const HOLDERS = /^(?:message|advice)$/;

/**
 * A plugin of StrykerJS that leaves out the sentences of errors and warnings. The tests look at an error's code, path and fields,
 * and at its text where the text says what to do: a test of each word would say the same twice.
 */
export const strykerPlugins = [{ kind: 'Ignore', name: 'errorTexts', value: { shouldIgnore } }];

function shouldIgnore({ node, parentPath }: NodePath): string | undefined {
  if (!isProse(node)) return undefined;
  const { key, id } = (parentPath?.node ?? {}) as { readonly key?: Callee; readonly id?: Callee };
  if (key?.name === 'expected' || HOLDERS.test(id?.name ?? '')) return 'the text of an error';
  for (
    let path = parentPath;
    path && !/Statement|Function|Declar/.test(path.node.type);
    path = path.parentPath
  ) {
    const callee = path.node['callee'] as Callee | undefined;
    const name = callee?.name ?? callee?.property?.name ?? callee?.type;
    if (name) return TELLERS.test(name) ? 'the text of an error' : undefined;
  }
  return undefined;
}

function isProse(node: NodePath['node']): boolean {
  if (node.type === 'StringLiteral') return PROSE.test(String(node['value']));
  if (node.type !== 'TemplateLiteral') return false;
  const quasis = node['quasis'] as readonly { readonly value: { readonly raw: string } }[];
  return PROSE.test(quasis.map(({ value }) => value.raw).join('$'));
}
