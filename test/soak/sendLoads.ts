import { PublishCommand } from '@aws-sdk/client-sns';
import { StoredData } from '../../core/storedData/StoredData.ts';
import type { LocalAws } from '../../local/index.ts';
import { sendTask } from '../../middlewares/sendTask.ts';
import { type Step, steps } from './steps.ts';

/** The defect of a poisonous task. */
export type Poison = 'no JSON' | 'no object' | 'final' | 'never done';

const poisons: readonly Poison[] = ['no JSON', 'no object', 'final', 'never done'];

/**
 * Sends tasks numbered from 0, of which task in `poisonEvery` is poisonous.
 *
 * @returns the number of each sent task, with its defect
 */
export async function sendLoads(
  aws: LocalAws,
  topics: Readonly<Record<Step, string>>,
  { tasks, poisonEvery }: { tasks: number; poisonEvery: number },
  random: () => number,
): Promise<Map<number, Poison | undefined>> {
  const planned = Array.from({ length: tasks }, (_, n) => {
    // Not random, so that a small soak has each kind too.
    const turn = Math.floor(n / poisonEvery);
    const poison = n % poisonEvery === 1 ? poisons[turn % poisons.length] : undefined;
    return { n, poison, at: steps[Math.floor(random() * steps.length)] as Step };
  });
  const sent = new Map<number, Poison | undefined>();
  let next = 0;
  const lane = async () => {
    for (let task = planned[next++]; task; task = planned[next++]) {
      await send(aws, topics, task);
      sent.set(task.n, task.poison);
    }
  };
  await Promise.all(Array.from({ length: 10 }, lane));
  return sent;
}

async function send(
  aws: LocalAws,
  topics: Readonly<Record<Step, string>>,
  { n, poison, at }: { n: number; poison: Poison | undefined; at: Step },
): Promise<void> {
  if (poison === 'no JSON') {
    await aws.sns.send(new PublishCommand({ TopicArn: topics.first, Message: `poison ${n}` }));
    return;
  }
  const pointer = `${aws.bucket}#cache/poison ${n}!1.5.json`;
  const task_kwargs =
    poison === 'no object'
      ? new StoredData({ pointer })
      : { n, via: [], ...(poison && { poison: { at, final: poison === 'final' } }) };
  const { s3, sns, bucket } = aws;
  const task = { task_name: 'first', callback: steps.join('#') };
  await sendTask({ ...task, task_kwargs }, { s3, sns, bucket, topics });
}
