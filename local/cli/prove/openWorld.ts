import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fault, Held } from '../../serverControl.ts';
import { type AwsCall, controlOf } from '../../serverControl.ts';
import { type LocalAws, startLocalAws } from '../../startLocalAws.ts';
import { createTaskQueue } from '../../taskQueues.ts';
import { readWorkerOptions } from '../../workerOptions.ts';
import { capturePublishing } from '../capturePublishing.ts';
import { type Effect, effectsOf, hashOf } from './Effect.ts';

/** The fate of a call in an experiment. */
export type Fate = 'kill before' | 'kill after' | 'error' | 'lost';

/** A call that a delivery has made. */
export interface SeenCall {
  readonly name: string;
  readonly hasEffect: boolean;
}

/** Local AWS and files of one experiment. */
export interface World {
  readonly aws: LocalAws;
  /** The environment of its threads. */
  readonly env: NodeJS.ProcessEnv;
  readonly queueArn: string;
  readonly functionArn: string;
  /** Starts to record a delivery. */
  begin(plan?: { index: number; fate: Fate; onKill(): void }): void;
  /** The calls and the effects since `begin`, and the files as they are now. */
  seen(): Promise<{ calls: readonly SeenCall[]; effects: readonly Effect[] }>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly taskName: string;
  /** Folders whose files are watched, besides the temporary folder. */
  readonly folders: readonly string[];
  setup?: ((world: { aws: LocalAws }) => unknown) | undefined;
}

/** Makes a world in which nothing has happened. */
export async function openWorld({ taskName, folders, setup }: WorldOptions): Promise<World> {
  const aws = await startLocalAws();
  const control = controlOf(aws);
  const folder = await mkdtemp(join(tmpdir(), 'algernon-prove-'));
  const close = async () => {
    await aws.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const prepare = async () => {
    const settings = readWorkerOptions({ aws, handler: async () => undefined, tasks: [taskName] });
    const { arn } = await createTaskQueue(taskName, settings);
    await setup?.({ aws });
    return { arn, before: await filesIn(folders) };
  };
  const { arn, before } = await prepare().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  // A profile would take precedence over the local credentials.
  const { AWS_PROFILE: _, ...withoutProfile } = process.env;
  let calls: SeenCall[] = [];
  let effects: Effect[] = [];
  let plan: Parameters<World['begin']>[0];

  const decide = (call: AwsCall, body: unknown): Fault | Held | undefined => {
    const found = effectsOf(call, body);
    const index = calls.push({ name: `${call.operation} ${call.target}`, hasEffect: found.length > 0 }) - 1;
    const fate = plan?.index === index ? plan.fate : undefined;
    const kill = () => plan?.onKill();
    if (fate === 'kill before') return { held: 'before', onHeld: kill };
    if (fate === 'error') return { status: 500, code: 'InternalError' };
    effects.push(...found);
    // A publish is not made but recorded, so its answer is the one to lose.
    const answer = capturePublishing().faults(call);
    if (fate === 'kill after') return { held: answer ? 'before' : 'after', onHeld: kill };
    if (fate === 'lost') return answer ? new Error('lost') : { lost: true };
    return answer;
  };
  if (control) control.faults = decide;
  return {
    aws,
    env: { ...withoutProfile, ...aws.env, AWS_MAX_ATTEMPTS: '1', TMPDIR: folder },
    queueArn: arn,
    functionArn: `arn:aws:lambda:${aws.region}:${aws.accountId}:function:worker`,
    begin(next) {
      calls = [];
      effects = [];
      plan = next;
    },
    async seen() {
      const files = [...(await filesIn([folder])), ...(await filesIn(folders)).filter(isNew(before))];
      const named = files.map((file) => ({ ...file, target: file.target.replace(folder, '$TMPDIR') }));
      return { calls: [...calls], effects: [...effects, ...named] };
    },
    close,
  };
}

function isNew(before: readonly Effect[]) {
  return ({ target, content }: Effect) =>
    !before.some((file) => file.target === target && file.content === content);
}

async function filesIn(folders: readonly string[]): Promise<Effect[]> {
  const files: Effect[] = [];
  for (const folder of folders) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const target = join(entry.parentPath, entry.name);
      files.push({ kind: 'file', target, content: hashOf(await readFile(target)) });
    }
  }
  return files;
}
