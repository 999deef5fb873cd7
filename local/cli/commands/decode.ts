import { type Command, defineCommand } from '../command.ts';
import { readInput } from '../input.ts';
import { type Opened, openText } from '../openText.ts';
import { type Output, plain } from '../output.ts';
import { resolvePointers } from '../resolvePointers.ts';

/** Shows what is in a message. */
export const decode: Command = defineCommand({
  name: 'decode',
  usage: '[FILE|-]',
  args: [0, 1],
  summary: 'show what is in a message, from standard input or a file',
  description:
    'Opens a text as far as it goes: an answer of "aws sqs receive-message", a Lambda event, a message of SQS, an envelope of\n' +
    'SNS, a stored value, base64, gzip. Tags of ajson are shown as the values they are; with --json they stay tags.',
  options: {
    resolve: { type: 'boolean', help: 'read the objects that pointers lead to' },
    bucket: { type: 'string', multiple: true, value: 'NAME', help: 'a bucket that pointers may lead to' },
  },
  examples: [
    ['pbpaste | algernon-middy decode', 'a message that was copied from the console'],
    [
      'aws sqs receive-message --queue-url "$URL" | algernon-middy decode --resolve --bucket results',
      'with its pointers',
    ],
    ['algernon-middy decode event.json --json', 'a file, as JSON'],
  ],
  async run({ values, args: [file = '-'], out, target }) {
    const found = openText(await readInput(file));
    if (values.resolve) {
      const aws = await target();
      const options = { buckets: values.bucket ?? [] };
      for (const [index, opened] of found.entries()) {
        found[index] = { ...opened, content: await resolvePointers(opened.content, aws, options) };
      }
    }
    out.json(found.map((opened) => ({ ...opened })));
    for (const opened of found) out.say(describe(opened, out));
    return 0;
  },
});

function describe({ layers, content, attributes, messageId }: Opened, out: Output): string {
  const facts = [
    ...(layers.length > 0 ? [layers.join(' → ')] : []),
    ...(messageId === undefined ? [] : [`message ${plain(messageId)}`]),
    ...Object.entries(attributes).map(([name, text]) => `${plain(name)}=${plain(text)}`),
  ];
  return [...(facts.length > 0 ? [facts.join('  ')] : []), out.show(content)].join('\n');
}
