import { type Command, commonOptions, type Options } from './command.ts';

const program = 'algernon-middy';

/** The list of commands. */
export function overview(commands: readonly Command[]): string {
  return [
    `Usage: ${program} COMMAND [arguments] [options]`,
    '',
    'Sends, looks at and repeats tasks, on local AWS or the real one.',
    '',
    'Commands:',
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    '',
    `See ${program} COMMAND --help.`,
  ].join('\n');
}

/** The help of one command. */
export function helpOf({ name, usage, description, options, examples }: Command): string {
  return [
    `Usage: ${program} ${[name, usage].filter(Boolean).join(' ')} [options]`,
    '',
    description,
    '',
    'Options:',
    ...columns(rowsOf({ ...options, ...commonOptions })),
    '',
    'Examples:',
    ...examples.flatMap(([command, purpose]) => [`  # ${purpose}`, `  ${command}`]),
  ].join('\n');
}

function rowsOf(options: Options): [string, string][] {
  return Object.entries(options).map(([name, { value, short, multiple, help }]) => {
    const flags = [short && `-${short}`, `--${name}`].filter(Boolean).join(', ');
    const times = multiple ? ' (may be repeated)' : '';
    return [value === undefined ? flags : `${flags} ${value}`, `${help}${times}`];
  });
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
