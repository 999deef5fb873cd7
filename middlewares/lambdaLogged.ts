import { setImmediate } from 'node:timers';
import { Logger } from '@aws-lambda-powertools/logger';
import type { MiddlewareObj } from '@middy/core';
import { assertOption } from '../core/assertOption.ts';
import { eventKind } from '../core/tasks/events.ts';
import { keepResponse } from '../core/tasks/keepResponse.ts';
import { declareStage, stageRanks } from '../core/tasks/pipeline.ts';
import { atEnd, watchRequest, whenAnswered } from '../core/tasks/watchRequest.ts';
import { bindLogger } from './logging/bindLogger.ts';
import { bareConsole, captureConsole } from './logging/captureConsole.ts';
import { invocationLog } from './logging/invocationLog.ts';
import { loggedEvent } from './logging/loggedEvent.ts';
import { sampleDebug, switchDebugOn, wantsDebug } from './logging/logLevel.ts';
import { consoleOf, setConsole } from './logging/powertoolsPrivates.ts';
import { isTerminal, prettyConsole } from './logging/prettyConsole.ts';
import { parseRedactPath, type RedactPath } from './logging/redact.ts';
import { enterScope, isLogging, leaveScope } from './logging/scope.ts';
import type { Tracing } from './tracing/tracing.ts';

export interface LambdaLoggedOptions {
  /** A Powertools logger. Default: one is made, with its settings from the environment. */
  logger?: Logger;
  /** Whether what is written to `console` while an invocation runs goes through the logger. Default true. */
  captureConsole?: boolean;
  /** Whether each event is logged, at info. Default: what `POWERTOOLS_LOGGER_LOG_EVENT` says, else false. */
  logEvent?: boolean;
  /**
   * What is left out of a logged event: paths from the event on or from its task on, such as `task_kwargs.card` or
   * `task_kwargs.users[*].name`. Default: none. Of a message that is not JSON, where no path leads, only the length is then
   * logged. Passwords, tokens and the secrets of credentials are left out anyway.
   */
  redact?: readonly string[];
  /** How lines are written. Default: `pretty` in a terminal outside Lambda, where no logger is given; else `json`. */
  format?: 'json' | 'pretty';
  /** What traces tasks: `xrayTracing()` or `openTelemetryTracing()`. Default: nothing does. */
  tracing?: Tracing;
}

const name = 'lambdaLogged';

/**
 * Sets logging up afresh for each invocation, on Powertools' logger: every line has the function and the request, and
 * every line written while a task runs has `task_name`, `message_id`, `receive_count`, `chain_id` and `chain` (the
 * callback), also when ten run at once. What is written to `console` becomes such a line too. A failed task is one error
 * line, and a batch ends with a summary. `DEBUG=true` switches debug lines on, where no log level is set.
 *
 * With `tracing`, each task is a span or a subsegment of its own.
 *
 * @throws OptionError when an option is not what it must be
 * @example
 * const logger = new Logger({ serviceName: 'images' });
 * export const handler = middy(queued(async (task: Task) => logger.info('resizing')))
 *   .use(lambdaLogged({ logger }))
 *   .use(sqsPartialBatchFailure({ logger: () => {} }))
 *   .use(sqsSnsUnwrap());
 */
export function lambdaLogged(options: LambdaLoggedOptions = {}): MiddlewareObj {
  const { logger = makeLogger(), captureConsole: captures = true, redact = [], tracing } = options;
  const { format = options.logger || !isTerminal() ? 'json' : 'pretty' } = options;
  const paths = redact.map((path) => {
    const parsed = parseRedactPath(path);
    assertOption(parsed, name, 'redact', `a list of paths such as task_kwargs.card, and ${path} is none`);
    return parsed as RedactPath;
  });
  assertOption(typeof logger.info === 'function', name, 'logger', "a Logger of Powertools'");
  assertOption(format === 'json' || format === 'pretty', name, 'format', 'json or pretty');
  assertOption(!tracing || typeof tracing.start === 'function', name, 'tracing', 'such as xrayTracing()');
  bindLogger(logger);
  if (format === 'pretty') setConsole(logger, prettyConsole());
  else if (consoleOf(logger) === console) setConsole(logger, bareConsole);

  const finishes = new WeakMap<object, () => void>();
  const finish = (request: object) => finishes.get(request)?.();
  let isCold = process.env.AWS_LAMBDA_INITIALIZATION_TYPE === 'on-demand';

  return {
    before(request) {
      keepResponse(request);
      sampleDebug(logger);
      const isDebug = wantsDebug();
      const log = invocationLog(request, { logger, tracing, capturesConsole: captures, coldStart: isCold });
      isCold = false;
      enterScope(log.scope);
      const release = captures ? captureConsole() : undefined;
      const leave = once(() => {
        leaveScope(log.scope);
        release?.();
        logger.clearBuffer();
        if (!isLogging(logger)) logger.resetKeys();
      });
      const write = once(log.finish);
      atEnd(request, () => {
        write();
        leave();
      });
      finishes.set(request, () => {
        write();
        // What other middlewares write after this, goes through the logger too.
        whenAnswered(request, leave);
        setImmediate(leave);
      });

      const pipeline = declareStage(request, {
        name,
        rank: stageRanks.log,
        around(run, next) {
          // Whoever samples after us has put the level back.
          if (isDebug) switchDebugOn(logger);
          return log.task(run, next);
        },
        ready: log.ready,
      });
      if (pipeline) pipeline.logsFailures = true;
      watchRequest(request).listeners.push(log.outcome);
      if (isDebug) switchDebugOn(logger);
      if (options.logEvent ?? logger.getLogEvent()) {
        logger.info(eventKind(request.event) === 'direct' ? 'event' : 'batch', {
          event: loggedEvent(request.event, paths),
        });
      }
    },
    after: finish,
    async onError(request) {
      finish(request);
      await keepResponse(request);
    },
  };
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}

/** Without a service name of its own, a function's lines go under the function's name. */
function makeLogger(): Logger {
  const { POWERTOOLS_SERVICE_NAME, AWS_LAMBDA_FUNCTION_NAME } = process.env;
  const serviceName = POWERTOOLS_SERVICE_NAME || AWS_LAMBDA_FUNCTION_NAME;
  return new Logger(serviceName ? { serviceName } : {});
}
