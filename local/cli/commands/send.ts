import { markRaw } from '../../../core/ajson/markRaw.ts';
import { sendTask } from '../../../middlewares/sendTask.ts';
import { type Command, defineCommand, UsageError } from '../command.ts';
import { parseTyped, readInput, splitPair } from '../input.ts';
import { plain } from '../output.ts';
import { findTopic } from '../queues.ts';

/** Sends a task. */
export const send: Command = defineCommand({
  name: 'send',
  usage: 'TASK [JSON|-]',
  args: [1, 2],
  summary: 'send a task to its topic',
  description:
    'Sends a task to the topic of its name. The arguments are a JSON object, or "-" to read one from standard input. Tags\n' +
    'of ajson stay tags. Large arguments go through S3.',
  options: {
    callback: { type: 'string', value: 'CHAIN', help: 'the task that gets the result, or a chain a#b#c' },
    kwargs: {
      type: 'string',
      multiple: true,
      value: 'NAME=VALUE',
      help: 'an argument: JSON, or else a text',
    },
    'chain-id': { type: 'string', value: 'ID', help: 'the id of the chain' },
    'group-id': { type: 'string', value: 'ID', help: 'the message group' },
    attribute: { type: 'string', multiple: true, value: 'NAME=TEXT', help: 'a message attribute' },
    topic: { type: 'string', value: 'ARN', help: 'the topic, instead of a look-up by name' },
    bucket: { type: 'string', value: 'NAME', help: 'the bucket for large arguments' },
  },
  examples: [
    ['algernon-middy send resize \'{"image": "cat.png"}\' --kwargs width=200', 'send one task to local AWS'],
    [
      'algernon-middy send load --kwargs symbol=IBM --callback load#analyse#report --profile prod',
      'start a chain on AWS',
    ],
    ['jq -c . order.json | algernon-middy send charge -', 'read the arguments from a pipe'],
  ],
  async run({ values, args: [task = '', json], out, target }) {
    const kwargs = await readKwargs(json, values.kwargs ?? []);
    const aws = await target();
    const topicArn = values.topic ?? (await findTopic(aws, task));
    const bucket = values.bucket ?? aws.bucket;
    const sent = await sendTask(
      { task_name: task, task_kwargs: kwargs, callback: values.callback },
      {
        s3: aws.s3,
        sns: aws.sns,
        topics: { [task]: topicArn },
        ...(bucket !== undefined && { bucket }),
        ...(values['chain-id'] !== undefined && { chainId: values['chain-id'] }),
        ...(values['group-id'] !== undefined && { groupId: values['group-id'] }),
        attributes: Object.fromEntries(
          (values.attribute ?? []).map((pair) => splitPair(pair, '--attribute')),
        ),
      },
    );
    out.json({ ...sent, topicArn });
    out.say(`Sent ${plain(task)} to ${aws.name}: chain ${sent.chainId}, message ${sent.messageId}`);
    return 0;
  },
});

async function readKwargs(json: string | undefined, pairs: readonly string[]): Promise<object> {
  const text = json === '-' ? (await readInput('-')).toString('utf8') : json;
  const given = text === undefined ? {} : parseTyped(text, 'the argument');
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new UsageError(`the arguments of a task must be a JSON object, such as '{"width": 200}'.`);
  }
  const named = pairs.map((pair) => {
    const [name, value] = splitPair(pair, '--kwargs');
    return [name, jsonOrText(value)] as const;
  });
  return markRaw({ ...given, ...Object.fromEntries(named) });
}

function jsonOrText(value: string): unknown {
  try {
    return parseTyped(value, 'the value');
  } catch {
    return value;
  }
}
