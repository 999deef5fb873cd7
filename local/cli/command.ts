import type { Target } from './openTarget.ts';
import type { Output } from './output.ts';

/** An option of a command, for `parseArgs` and for the help. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean;
  readonly short?: string;
  /** The name of the value in the help. */
  readonly value?: string;
  readonly help: string;
}

export type Options = Readonly<Record<string, OptionSpec>>;

/** The values of options as they were typed. */
export type Values<O extends Options> = {
  readonly [K in keyof O]?:
    | (O[K] extends { type: 'boolean' } ? boolean : O[K] extends { multiple: true } ? string[] : string)
    | undefined;
};

/** The parts that a command works with. */
export interface CommandRun<O extends Options> {
  readonly values: Values<O> & CommonValues;
  /** The arguments, in order. */
  readonly args: readonly string[];
  readonly out: Output;
  /** Local AWS or the real one, opened on first use. */
  target(): Promise<Target>;
}

/** A command of the command line. */
export interface Command<O extends Options = Options> {
  readonly name: string;
  /** The arguments, such as `TASK [JSON|-]`. */
  readonly usage: string;
  /** How many arguments there may be. */
  readonly args: readonly [min: number, max: number];
  /** One line for the list of commands. */
  readonly summary: string;
  /** The text below the usage in the help. */
  readonly description: string;
  readonly options: O;
  readonly examples: readonly (readonly [command: string, purpose: string])[];
  /** Returns the exit code; undefined is 0. */
  run(run: CommandRun<O>): Promise<number | undefined>;
}

/** Defines a command, with the types of its options. */
export function defineCommand<const O extends Options>(command: Command<O>): Command {
  return command as unknown as Command;
}

/** The options of every command. */
export const commonOptions: Options = {
  endpoint: { type: 'string', value: 'URL', help: 'local AWS, or anything that speaks its API' },
  profile: { type: 'string', value: 'NAME', help: 'AWS itself, with a profile of ~/.aws' },
  region: { type: 'string', value: 'NAME', help: 'the region of AWS' },
  json: { type: 'boolean', help: 'print JSON' },
  help: { type: 'boolean', short: 'h', help: 'print this help' },
};

/** The values of the options of every command. */
export interface CommonValues {
  readonly endpoint?: string;
  readonly profile?: string;
  readonly region?: string;
  readonly json?: boolean;
  readonly help?: boolean;
}

/** The command line was used wrongly: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
