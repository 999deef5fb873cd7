import { Logger } from '@aws-lambda-powertools/logger';
import type { MiddlewareObj } from '@middy/core';
import { checkOptions, flag, listOf, oneOf, withMethod } from '../core/checkOptions.ts';
import { bindLogger } from './logging/bindLogger.ts';
import { bareConsole, captureConsole } from './logging/captureConsole.ts';
import { invocationLog } from './logging/invocationLog.ts';
import { loggedEvent } from './logging/loggedEvent.ts';
import { sampleDebug, switchDebugOn, wantsDebug } from './logging/logLevel.ts';
import { consoleOf, setConsole } from './logging/powertoolsPrivates.ts';
import { isTerminal, prettyConsole } from './logging/prettyConsole.ts';
import { parseRedactPath, type RedactPath } from './logging/redact.ts';
import { redirectLines } from './logging/redirectLines.ts';
import { enterScope, isLogging, leaveScope } from './logging/scope.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';
import type { Tracing } from './tracing/tracing.ts';

/** Options of {@link lambdaLogged}. */
export interface LambdaLoggedOptions {
  /** A Powertools logger. Default: a new one, with its settings from the environment. */
  logger?: Logger;
  /** Whether `console` goes through the logger while an invocation runs. Default true. */
  captureConsole?: boolean;
  /** Whether each event is logged, at info. Default: the value of `POWERTOOLS_LOGGER_LOG_EVENT`, else false. */
  logEvent?: boolean;
  /**
   * The values to redact in a logged event: paths that start at the event or at its task, such as `task_kwargs.card` or
   * `task_kwargs.users[*].name`. Default: none. Of a message that is not JSON, only the length is logged then. Passwords,
   * tokens and the secrets of credentials are always redacted.
   */
  redact?: readonly string[];
  /** The format of lines. Default: `pretty` in a terminal outside Lambda, if no logger is given; else `json`. */
  format?: 'json' | 'pretty';
  /** Traces tasks: `xrayTracing()` or `openTelemetryTracing()`. Default: no tracing. */
  tracing?: Tracing;
}

const name = 'lambdaLogged';

/**
 * Sets up logging for each invocation, on Powertools' logger. Every line has the function and the request. Every line of a
 * task has `task_name`, `message_id`, `receive_count`, `chain_id` and `chain` (the callback), even when ten tasks run at once.
 * `console` is captured into such lines too. A failed task is one error line, and a batch ends with a summary. `DEBUG=true`
 * enables debug lines, unless a log level is set.
 *
 * With `tracing`, each task is a span or a subsegment.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * const logger = new Logger({ serviceName: 'images' });
 * export const handler = middy(queued(async (task: Task) => logger.info('resizing')))
 *   .use(lambdaLogged({ logger }))
 *   .use(sqsPartialBatchFailure({ logger: () => {} }))
 *   .use(sqsSnsUnwrap());
 */
export function lambdaLogged(options: LambdaLoggedOptions = {}): MiddlewareObj {
  const {
    logger = makeLogger(),
    captureConsole: captures = true,
    redact = [],
    tracing,
    format = options.logger || !isTerminal() ? 'json' : 'pretty',
  } = checkOptions(name, options, {
    logger: withMethod('info', 'a Powertools Logger'),
    captureConsole: flag,
    logEvent: flag,
    redact: listOf({
      expected: 'a path such as task_kwargs.card',
      test: (value) => typeof value === 'string' && parseRedactPath(value) !== undefined,
    }),
    format: oneOf('json', 'pretty'),
    tracing: withMethod('start', 'a tracing such as xrayTracing()'),
  });
  const paths = redact.map((path) => parseRedactPath(path) as RedactPath);
  bindLogger(logger);
  if (format === 'pretty') setConsole(logger, prettyConsole());
  else if (consoleOf(logger) === console) setConsole(logger, bareConsole);

  let isCold = process.env.AWS_LAMBDA_INITIALIZATION_TYPE === 'on-demand';

  return stageMiddleware({
    name,
    order: { at: 'log' },
    passive: true,
    anyEvent: true,
    always: true,
    open(invocation) {
      redirectLines(logger, invocation.context);
      sampleDebug(logger);
      const isDebug = wantsDebug();
      const log = invocationLog(invocation, {
        logger,
        tracing,
        capturesConsole: captures,
        coldStart: isCold,
      });
      isCold = false;
      enterScope(log.scope);
      const release = captures ? captureConsole() : undefined;
      const leave = once(() => {
        log.summarise();
        leaveScope(log.scope);
        release?.();
        logger.clearBuffer();
        if (!isLogging(logger)) logger.resetKeys();
      });
      invocation.logFailures();
      invocation.onFailure(log.fail);
      invocation.onEnd(() => {
        // Other middlewares may write lines after this one, or throw, which brings all messages back.
        invocation.onAnswer(leave);
        log.finish();
      });
      if (isDebug) switchDebugOn(logger);
      if (options.logEvent ?? logger.getLogEvent()) {
        logger.info(invocation.records.length > 0 ? 'batch' : 'event', {
          event: loggedEvent(invocation.event, paths),
        });
      }
      return {
        around(run, next) {
          // A middleware that samples after this one has set the level back.
          if (isDebug) switchDebugOn(logger);
          return log.around(run, next);
        },
      };
    },
  });
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}

/** Without a service name, the lines have the name of the function. */
function makeLogger(): Logger {
  const { POWERTOOLS_SERVICE_NAME, AWS_LAMBDA_FUNCTION_NAME } = process.env;
  const serviceName = POWERTOOLS_SERVICE_NAME || AWS_LAMBDA_FUNCTION_NAME;
  return new Logger(serviceName ? { serviceName } : {});
}
