import type { FilterLogEventsCommandOutput } from '@aws-sdk/client-cloudwatch-logs';
import { AlgernonError } from '../../core/errors.ts';
import { missingPeer } from '../../middlewares/aws/missingPeer.ts';
import type { CommonValues } from './command.ts';

/** A page of lines, as the SDK and the command line of AWS show it. */
type LogsPage = Pick<FilterLogEventsCommandOutput, 'events'>;

export interface LinesOptions extends CommonValues {
  readonly logGroups: readonly string[];
  /** Lines that are older are left out, in milliseconds since 1970. */
  readonly since: number;
}

/** Reads the lines of a chain from CloudWatch Logs. */
export async function readLines(chainId: string, options: LinesOptions): Promise<string[]> {
  const { logGroups, since, endpoint, profile, region } = options;
  const sdk = await import('@aws-sdk/client-cloudwatch-logs').catch(
    missingPeer('@aws-sdk/client-cloudwatch-logs', 'algernon-middy chain --log-group'),
  );
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
        const command = new sdk.FilterLogEventsCommand(input);
        const page: FilterLogEventsCommandOutput = await client.send(command);
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
