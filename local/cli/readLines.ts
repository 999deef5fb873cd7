import { AlgernonError } from '../../core/errors.ts';
import { missingPeer } from '../../middlewares/aws/missingPeer.ts';
import type { CommonValues } from './command.ts';

/** The part of the SDK of CloudWatch Logs that is used. The package is optional, and its types are not needed to build this one. */
interface LogsSdk {
  CloudWatchLogsClient: new (config: object) => { send(command: object): Promise<LogsPage>; destroy(): void };
  FilterLogEventsCommand: new (input: object) => object;
}

interface LogsPage {
  readonly events?: readonly { readonly message?: string }[];
  readonly nextToken?: string;
}

export interface LinesOptions extends CommonValues {
  readonly logGroups: readonly string[];
  /** Lines that are older are left out, in milliseconds since 1970. */
  readonly since: number;
}

/** Reads the lines of a chain from CloudWatch Logs. */
export async function readLines(chainId: string, options: LinesOptions): Promise<string[]> {
  const { logGroups, since, endpoint, profile, region } = options;
  const name = '@aws-sdk/client-cloudwatch-logs';
  const sdk = (await import(name).catch(missingPeer(name, 'algernon-middy chain'))) as LogsSdk;
  const client = new sdk.CloudWatchLogsClient({
    ...(endpoint !== undefined && { endpoint }),
    ...(profile !== undefined && { profile }),
    ...(region !== undefined && { region }),
  });
  const lines: string[] = [];
  try {
    for (const logGroupName of logGroups) {
      let nextToken: string | undefined;
      do {
        const filterPattern = `{ $.chain_id = "${chainId}" }`;
        const input = { logGroupName, filterPattern, startTime: since, nextToken };
        const page = await client.send(new sdk.FilterLogEventsCommand(input));
        for (const { message } of page.events ?? []) if (message !== undefined) lines.push(message);
        nextToken = page.nextToken;
      } while (nextToken);
    }
  } catch (error) {
    if ((error as Error).name !== 'ResourceNotFoundException') throw error;
    throw new AlgernonError(
      'LOG_GROUP_NOT_FOUND',
      `${(error as Error).message} Is the name of --log-group right?`,
      {
        cause: error,
      },
    );
  } finally {
    client.destroy();
  }
  return lines;
}

/** The lines in a text: one JSON object a line, or the answer of `aws logs filter-log-events`. */
export function linesIn(text: string): string[] {
  try {
    const { events } = JSON.parse(text) as LogsPage;
    if (Array.isArray(events)) return events.flatMap(({ message }) => message ?? []);
  } catch {
    // Several lines are not JSON as a whole.
  }
  return text.split('\n');
}
