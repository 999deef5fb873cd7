import type { MiddlewareObj } from '@middy/core';
import { ajson as sharedAjson } from '../core/ajson/ajson.ts';
import type { Ajson } from '../core/ajson/openAjson.ts';
import { isStateEvent } from '../core/batch/events.ts';
import type { TaskRun } from '../core/batch/stage.ts';
import { checkOptions, duration, withMethod } from '../core/checkOptions.ts';
import { AlgernonError } from '../core/errors.ts';
import { lazySdk } from './aws/lazySdk.ts';
import { missingPeer } from './aws/missingPeer.ts';
import { type AwsClient, awsClient } from './aws/optionChecks.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';

/** Options of {@link stepFunctionsTask}. */
export interface StepFunctionsTaskOptions {
  /** Default: a client that is made on first use and shared. Needs `@aws-sdk/client-sfn`. */
  sfn?: AwsClient;
  /** How often the state machine is told that a task is still running, in seconds. Default: never. */
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

/**
 * Makes a worker out of a state of AWS Step Functions.
 *
 * A message with `Input` and `TaskToken` is a task that a state machine waits for: the handler gets the parsed Input, the state
 * machine gets the result in ajson, or the error, and the message counts as done either way. If the state machine cannot be
 * told, the message comes back. An error sends no callback, for lack of a result. A result of more than 262,144
 * bytes is told as the error `States.DataLimitExceeded`.
 *
 * A state that calls the function directly sends `sfn_context`: its task is `task_name`, else the state's name; its arguments
 * are `payload` parsed, else all other keys; it gets the result as a string of ajson. The handler finds the state's context as
 * `context.sfn_context`.
 *
 * The function's role needs `states:SendTaskSuccess`, `states:SendTaskFailure` and `states:SendTaskHeartbeat`.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @throws MissingPackageError from a task, when `@aws-sdk/client-sfn` is not installed
 * @example
 * export const handler = middy(queued(worker))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap())
 *   .use(stepFunctionsTask({ heartbeatSeconds: 30 }));
 */
export function stepFunctionsTask(options: StepFunctionsTaskOptions = {}): MiddlewareObj {
  const {
    sfn,
    heartbeatSeconds,
    ajson = sharedAjson,
  } = checkOptions(name, options, {
    sfn: awsClient('SFNClient'),
    heartbeatSeconds: duration('seconds'),
    ajson: withMethod('dumps', 'a registry such as ajson'),
  });
  const dumps = (result: unknown) => ajson.dumps(result ?? null, { tags: 'keep' });

  const answer = async (run: TaskRun, message: TokenMessage, next: () => Promise<void>) => {
    const machine = await openStateMachine(sfn, message.TaskToken);
    const stop = machine.beat(heartbeatSeconds);
    let output: string;
    try {
      const { Input } = message;
      run.task = typeof Input === 'string' ? ajson.raw(Input) : Input;
      await next();
      // A result that ajson or Step Functions refuses is the task's failure.
      output = assertFits(dumps(run.result));
    } catch (error) {
      // Cut off by the deadline: the message comes back, and the state machine goes on waiting.
      if (run.signal.aborted) throw error;
      run.failure = error;
      run.endsChain = true;
      return machine.fail(error);
    } finally {
      stop();
    }
    await machine.succeed(output);
  };

  return stageMiddleware({
    name,
    order: { at: 'states' },
    open({ event, addToContext, writeAnswer }) {
      if (isStateEvent(event)) {
        addToContext({ sfn_context: { value: event.sfn_context, enumerable: true, configurable: true } });
        writeAnswer(dumps);
      }
      return {
        around(run, next) {
          const { content } = run.unwrap();
          return run.record && isTokenMessage(content) ? answer(run, content, next) : next();
        },
      };
    },
  });
}

/** The limit of a state's output. */
const maxOutputBytes = 262_144;

function assertFits(output: string): string {
  const bytes = Buffer.byteLength(output);
  if (bytes <= maxOutputBytes) return output;
  throw new StateResultError(bytes);
}

/** A result is larger than the output of a state may be. `name` is the error that Step Functions uses for it. */
class StateResultError extends AlgernonError {
  override readonly name = 'States.DataLimitExceeded';

  constructor(bytes: number) {
    super(
      'STATE_RESULT_TOO_LARGE',
      `The result has ${bytes} bytes, and a state may have ${maxOutputBytes}: store it with storeData(), and return the pointer.`,
    );
  }
}

function isTokenMessage(content: unknown): content is TokenMessage {
  const { Input, TaskToken } = Object(content) as Partial<TokenMessage>;
  return Input !== undefined && typeof TaskToken === 'string';
}

const loadSfn = lazySdk(
  () => import('@aws-sdk/client-sfn').catch(missingPeer('@aws-sdk/client-sfn', name)),
  ({ SFNClient }) => new SFNClient(),
);

/** The state machine no longer waits for these tasks, so their messages are done. */
const abandoned = new Set(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken']);

/** The longest delay of a timer, in seconds; a longer one fires at once. */
const maxTimerSeconds = 2_147_483;

async function openStateMachine(given: AwsClient | undefined, taskToken: string) {
  const { sdk, client: sfn } = await loadSfn(given);
  const tell = async (telling: Promise<unknown>) => {
    try {
      await telling;
    } catch (error) {
      if (!abandoned.has(Object(error).name)) throw error;
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
    beat(seconds = Number.POSITIVE_INFINITY) {
      if (seconds > maxTimerSeconds) return () => {};
      const beating = setInterval(() => {
        // The state machine notices a missing heartbeat by itself.
        sfn.send(new sdk.SendTaskHeartbeatCommand({ taskToken })).catch(() => {});
      }, seconds * 1000);
      return () => clearInterval(beating);
    },
  };
}
