import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isAlgernonError } from '../../core/errors.ts';
import { type Command, commonOptions, UsageError } from './command.ts';
import { chain } from './commands/chain.ts';
import { deadLetters } from './commands/deadLetters.ts';
import { decode } from './commands/decode.ts';
import { dev } from './commands/dev.ts';
import { open } from './commands/open.ts';
import { prove } from './commands/prove.ts';
import { redrive } from './commands/redrive.ts';
import { replay } from './commands/replay.ts';
import { send } from './commands/send.ts';
import { helpOf, overview } from './help.ts';
import { explainFault, openTarget, type Target, type TargetValues } from './openTarget.ts';
import { createOutput, type Output, safeJson } from './output.ts';

const commands: readonly Command[] = [dev, open, send, chain, deadLetters, redrive, replay, decode, prove];

/** The streams of the process. */
export interface Streams {
  readonly out: NodeJS.WriteStream;
  readonly error: NodeJS.WriteStream;
}

/**
 * Runs the command line.
 *
 * @returns the exit code: 0, 1 when the command failed, 2 when it was used wrongly
 */
export async function main(
  words: readonly string[],
  { out, error }: Streams = defaultStreams(),
): Promise<number> {
  const isJson = words.includes('--json');
  const hasColours = out.isTTY === true && !process.env.NO_COLOR;
  const output = createOutput(
    isJson,
    (text) => out.write(text),
    (text) => error.write(text),
    hasColours,
  );
  const [name, ...rest] = words;
  if (name === undefined || name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) {
    out.write(`${overview(commands)}\n`);
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    out.write(`${version()}\n`);
    return 0;
  }
  const asked = name === 'help' ? rest[0] : name;
  const command = commands.find((each) => each.name === asked);
  if (!command) {
    const names = commands.map((each) => each.name).join(', ');
    output.remark(`algernon-middy: there is no command ${asked}. The commands are: ${names}.`);
    return 2;
  }
  return runCommand(command, name === 'help' ? ['--help'] : rest, output, out);
}

async function runCommand(
  command: Command,
  words: readonly string[],
  out: Output,
  stream: NodeJS.WriteStream,
): Promise<number> {
  let target: Target | undefined;
  try {
    const { values, args } = parse(command, words);
    if (values.help) {
      stream.write(`${helpOf(command)}\n`);
      return 0;
    }
    checkCount(command, args);
    const openOnce = async () => {
      target ??= await openTarget(values as TargetValues);
      return target;
    };
    return (await command.run({ values, args, out, target: openOnce })) ?? 0;
  } catch (thrown) {
    return report(command, explainFault(thrown, target), out);
  } finally {
    target?.close();
  }
}

function parse(command: Command, words: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries({ ...command.options, ...commonOptions }).map(([name, option]) => {
      const {
        type,
        multiple = false,
        short,
      } = option as { type: 'string'; multiple?: boolean; short?: string };
      return [name, { type, multiple, ...(short !== undefined && { short }) }];
    }),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true });
    return { values: values as Readonly<Record<string, never>>, args: positionals };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function checkCount({ name, usage, args: [min, max] }: Command, args: readonly string[]): void {
  if (args.length >= min && args.length <= max) return;
  const problem = args.length < min ? 'an argument is missing' : `${args[max]} is one argument too many`;
  throw new UsageError(`${problem}. Usage: algernon-middy ${name} ${usage}`);
}

function report({ name }: Command, error: unknown, out: Output): number {
  const isUsage = error instanceof UsageError;
  const message = error instanceof Error ? error.message : String(error);
  if (out.isJson) {
    const code = isUsage ? 'USAGE' : isAlgernonError(error) ? error.code : (error as Error | undefined)?.name;
    out.remark(safeJson({ error: { code, message } }));
  } else {
    out.remark(`algernon-middy ${name}: ${message}`);
    if (isUsage) out.remark(`See algernon-middy ${name} --help.`);
  }
  return isUsage ? 2 : 1;
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}

function defaultStreams(): Streams {
  // A reader such as `head` may close the pipe early.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  return { out: process.stdout, error: process.stderr };
}
