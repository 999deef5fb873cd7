import { type Command, defineCommand, UsageError } from '../command.ts';
import { readPort } from '../input.ts';
import { plain } from '../output.ts';

/** Shows the file of a run. */
export const open: Command = defineCommand({
  name: 'open',
  usage: 'FILE',
  args: [1, 1],
  summary: 'show a run that dev has written to a file',
  description:
    'Shows the file of a run, such as .algernon/runs/TIME.jsonl or the artefact of a CI job, on the page of dev. Nothing can\n' +
    'be sent or redriven.',
  options: {
    port: { type: 'string', value: 'NUMBER', help: 'the port of the page; default: a free one' },
    'no-open': { type: 'boolean', help: 'do not open the page in a browser' },
  },
  examples: [['algernon-middy open run.jsonl', 'a run of CI']],
  async run({ values, args: [file = ''], out }) {
    const port = readPort(values.port);
    const { isInteractive, openBrowser, untilStopped } = await import('../dev/openBrowser.ts');
    const { maxLogCharacters } = await import('../../dev/openDevRun.ts');
    const { readRunFile } = await import('../../dev/readRunFile.ts');
    const { openRunLog } = await import('../../dev/runLog.ts');
    const { serveRun } = await import('../../dev/serveRun.ts');
    const log = openRunLog({ maxCharacters: 4 * maxLogCharacters });
    const { read, skipped } = await readRunFile(file, log.add).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new UsageError(`${file} does not exist.`) : error;
    });
    if (skipped > 0)
      out.remark(`${skipped} of ${read + skipped} lines are not entries of a run, and are left out.`);
    const stopped = untilStopped();
    const { url, stop } = await serveRun({ log, port });
    out.json({ url, entries: read, skipped });
    out.say(`${plain(file)} is shown at ${url}\nCtrl-C stops.`);
    if (!values['no-open'] && isInteractive()) openBrowser(url);
    await stopped;
    await stop();
    return 0;
  },
});
