import type { Tracer } from '@aws-lambda-powertools/tracer';
import { checkOptions, withMethod } from '../core/checkOptions.ts';
import { missingPeer } from './aws/missingPeer.ts';
import { capturesErrors } from './logging/powertoolsPrivates.ts';
import { asError, type End, finishing, once } from './tracing/finishing.ts';
import type { TaskFacts, Tracing } from './tracing/tracing.ts';

export type { TaskFacts, TaskTrace, Tracing } from './tracing/tracing.ts';

// Awaited at import, because a direct invocation opens its subsegment synchronously.
const powertools = await import('@aws-lambda-powertools/tracer').catch(
  missingPeer('@aws-lambda-powertools/tracer', 'xrayTracing'),
);

/** Options of {@link xrayTracing}. */
export interface XrayTracingOptions {
  /** A Powertools tracer. Default: one is made, with its settings from the environment. */
  tracer?: Tracer;
}

type Subsegment = NonNullable<Parameters<Parameters<Tracer['provider']['captureAsyncFunc']>[1]>[0]>;

/**
 * Traces tasks with X-Ray. Each task is a subsegment, annotated with `task_name`, `message_id`, `chain_id`, `chain` and
 * `ColdStart`, with its error and the calls of the S3 and SNS clients in it, and HTTP as Powertools' tracer captures it. Does
 * nothing outside Lambda and where Powertools' tracing is off.
 *
 * X-Ray's SDK gets security fixes only since February 2026; `openTelemetryTracing` is the alternative.
 *
 * Needs `@aws-lambda-powertools/tracer`: without it, importing this entry point fails with `MISSING_PACKAGE`. The import is
 * awaited, so a bundle with it must be an ES module.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * import { xrayTracing } from 'algernon-middy/middlewares/xrayTracing';
 * export const handler = middy(queued(worker)).use(lambdaLogged({ tracing: xrayTracing() }));
 */
export function xrayTracing(options: XrayTracingOptions = {}): Tracing {
  const { tracer = new powertools.Tracer() } = checkOptions('xrayTracing', options, {
    tracer: withMethod('isTracingEnabled', 'a Powertools Tracer'),
  });
  const { provider } = tracer;
  quieten(tracer);

  const close = (subsegment: Subsegment | undefined, failure?: Parameters<End>[0]) => {
    // An enclosing task may have closed it.
    if (!subsegment || subsegment.isClosed()) return;
    if (failure && capturesErrors(tracer)) subsegment.addError(asError(failure.error));
    else if (failure) subsegment.addErrorFlag();
    closeOpen(subsegment);
    subsegment.close();
  };
  const current = () => (tracer.isTracingEnabled() ? provider.getSegment() : undefined);

  return {
    start(task) {
      const around = current();
      if (!around) return undefined;
      const name = `## ${task.taskName ?? 'message'}`;
      let subsegment: Subsegment | undefined;
      if (task.source === undefined) {
        // Nothing wraps a direct invocation: its subsegment becomes the current one, as in Powertools' middleware.
        subsegment = annotate(around.addNewSubsegment(name), task);
        provider.setSegment(subsegment);
      }
      return {
        outgoingAttributes: {},
        run<T>(work: () => T): T {
          return provider.captureAsyncFunc(name, (opened) => {
            subsegment = opened && annotate(opened, task);
            return work();
          }) as T;
        },
        end: once((failure) => {
          close(subsegment, failure);
          if (task.source === undefined) provider.setSegment(around);
        }),
      };
    },

    span(name, work) {
      if (!current()) return work();
      return provider.captureAsyncFunc(`### ${name}`, (subsegment) =>
        finishing(work, (failure) => close(subsegment, failure)),
      ) as ReturnType<typeof work>;
    },

    // The captured client sends X-Ray's own header.
    send: (_, work) => work({}),

    capture(client) {
      if (captured.has(client)) return;
      captured.add(client);
      tracer.captureAWSv3Client(client);
    },
  };
}

const captured = new WeakSet<object>();

/**
 * X-Ray sends a subsegment only when all subsegments in it are closed. Those of calls that are still running stay open,
 * and so do those of a `fetch` over a connection that an earlier task opened.
 */
function closeOpen(subsegment: Subsegment): void {
  for (const child of [...(subsegment.subsegments ?? [])]) {
    closeOpen(child);
    if (!child.isClosed()) child.close();
  }
}

function annotate(
  subsegment: Subsegment,
  { taskName, messageId, chainId, chain, coldStart }: TaskFacts,
): Subsegment {
  const annotations = {
    task_name: taskName,
    message_id: messageId,
    chain_id: chainId,
    chain,
    ColdStart: coldStart,
  };
  for (const [key, value] of Object.entries(annotations)) {
    if (value !== undefined) subsegment.addAnnotation(key, value);
  }
  return subsegment;
}

/** Writes X-Ray's own lines to the current console, from warnings up, unless its variables say otherwise. */
function quieten({ provider }: Tracer): void {
  if (process.env.AWS_XRAY_DEBUG_MODE || process.env.AWS_XRAY_LOG_LEVEL) return;
  provider.setLogger({
    error: (...args: unknown[]) => console.error(...args),
    warn: (...args: unknown[]) => console.warn(...args),
    info() {},
    debug() {},
  });
}
