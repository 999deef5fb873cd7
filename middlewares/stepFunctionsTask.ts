import type { SFNClient } from '@aws-sdk/client-sfn';
import type { MiddlewareObj } from '@middy/core';
import { type Ajson, ajson as sharedAjson } from '../core/ajson/index.ts';
import { assertOption } from '../core/assertOption.ts';
import { keepResponse } from '../core/tasks/keepResponse.ts';
import { declareStage, stageRanks, type TaskRun } from '../core/tasks/pipeline.ts';
import type { Task } from '../core/tasks/task.ts';
import { missingPeer } from './aws/missingPeer.ts';

export interface StepFunctionsTaskOptions {
  /** Default: one made at the first need. `@aws-sdk/client-sfn` is to be installed. */
  sfn?: SFNClient;
  /** How often the state machine is told that a task is still under way, in seconds. Default: never. */
  heartbeatSeconds?: number;
  /** The registry that writes results. Default: the shared one. */
  ajson?: Pick<Ajson, 'dumps' | 'raw'>;
}

const name = 'stepFunctionsTask';

/** A message that a state with `.waitForTaskToken` sent. */
interface TokenMessage {
  Input: unknown;
  TaskToken: string;
}

/** What a state that calls the function directly sends. */
interface StateEvent {
  sfn_context: { State: { Name: string } };
  task_name?: string;
  payload?: string;
}

/**
 * Makes a worker out of a state of AWS Step Functions.
 *
 * A message with `Input` and `TaskToken` is a task that a state machine waits for: the handler gets the parsed Input,
 * the state machine gets the result in ajson, or the error, and the message counts as done either way. When the
 * state machine cannot be told, it does not. After an error no callback is sent, since there is no result.
 *
 * A state that calls the function directly sends `sfn_context`: its task is `task_name`, else the state's name; its
 * arguments are `payload` parsed, else all other keys; it gets the result as a string of ajson. For such calls use
 * it before `storedDataHydrate`, which otherwise has no task to look into yet.
 *
 * The function's role needs `states:SendTaskSuccess`, `states:SendTaskFailure` and `states:SendTaskHeartbeat`.
 *
 * @throws OptionError when an option is not what it must be
 * @throws AlgernonError `MISSING_PACKAGE` from a task, when `@aws-sdk/client-sfn` is not installed
 * @example
 * export const handler = middy(queued(worker))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap())
 *   .use(stepFunctionsTask({ heartbeatSeconds: 30 }));
 */
export function stepFunctionsTask(options: StepFunctionsTaskOptions = {}): MiddlewareObj {
  const { sfn, heartbeatSeconds, ajson = sharedAjson } = options;
  assertOption(
    heartbeatSeconds === undefined || heartbeatSeconds > 0,
    name,
    'heartbeatSeconds',
    'a number above 0',
  );
  const dumps = (result: unknown) => ajson.dumps(result ?? null, { tags: 'keep' });
  const calledByState = new WeakSet<object>();

  const answer = async (run: TaskRun, TaskToken: string, next: () => Promise<void>) => {
    const machine = await openStateMachine(sfn, TaskToken);
    const stop = heartbeatSeconds ? machine.beat(heartbeatSeconds) : undefined;
    let output: string;
    try {
      await next();
      // In here, since a result that ajson refuses is the task's failure.
      output = dumps(run.result);
    } catch (error) {
      // Given back near the deadline: the message comes again, and the state machine waits on.
      if (run.signal.aborted) throw error;
      run.failure = error;
      run.endsChain = true;
      return machine.fail(error);
    } finally {
      stop?.();
    }
    await machine.succeed(output);
  };

  return {
    before(request) {
      keepResponse(request);
      const pipeline = declareStage(request, {
        name,
        rank: stageRanks.unwrap - 50,
        async around(run, next) {
          const { content } = run.unwrap();
          if (!isTokenMessage(content)) return next();
          const { Input, TaskToken } = content;
          run.task = typeof Input === 'string' ? ajson.raw(Input) : Input;
          await answer(run, TaskToken, next);
        },
      });
      if (pipeline || !isStateEvent(request.event)) return;
      calledByState.add(request);
      request.event = taskOfState(request.event, ajson.raw);
    },
    after(request) {
      if (calledByState.has(request)) request.response = dumps(request.response);
    },
    onError: keepResponse,
  };
}

function isTokenMessage(content: unknown): content is TokenMessage {
  const { Input, TaskToken } = Object(content) as Partial<TokenMessage>;
  return Input !== undefined && typeof TaskToken === 'string';
}

function isStateEvent(event: unknown): event is StateEvent {
  return typeof (Object(event) as Partial<StateEvent>).sfn_context?.State?.Name === 'string';
}

function taskOfState(event: StateEvent, parse: (text: string) => unknown): Task<unknown> {
  const { sfn_context, task_name = sfn_context.State.Name, payload, ...others } = event;
  return { task_name, task_kwargs: payload === undefined ? others : parse(payload) };
}

let shared: SFNClient | undefined;

/** Nobody waits for these tasks any more, so their messages are done. */
const nobodyWaits = new Set(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken']);

async function openStateMachine(given: SFNClient | undefined, taskToken: string) {
  const sdk = await import('@aws-sdk/client-sfn').catch(missingPeer('@aws-sdk/client-sfn', name));
  if (!given) shared ??= new sdk.SFNClient();
  const sfn = given ?? (shared as SFNClient);
  const tell = async (telling: Promise<unknown>) => {
    try {
      await telling;
    } catch (error) {
      if (!nobodyWaits.has(Object(error).name)) throw error;
    }
  };

  return {
    succeed: (output: string) => tell(sfn.send(new sdk.SendTaskSuccessCommand({ taskToken, output }))),
    fail(reason: unknown) {
      const error = reason instanceof Error ? reason.name : 'Error';
      const cause = reason instanceof Error ? reason.message : String(reason);
      // The limits of SendTaskFailure.
      const told = { taskToken, error: error.slice(0, 256), cause: cause.slice(0, 32_768) };
      return tell(sfn.send(new sdk.SendTaskFailureCommand(told)));
    },
    beat(seconds: number) {
      const beating = setInterval(() => {
        // A beat that is missed is for the state machine to notice.
        sfn.send(new sdk.SendTaskHeartbeatCommand({ taskToken })).catch(() => {});
      }, seconds * 1000);
      return () => clearInterval(beating);
    },
  };
}
