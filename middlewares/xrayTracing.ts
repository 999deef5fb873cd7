import { Tracer } from '@aws-lambda-powertools/tracer';
import { finishing } from './tracing/finishing.ts';
import type { TaskFacts, Tracing } from './tracing/tracing.ts';

export type { TaskFacts, TaskTrace, Tracing } from './tracing/tracing.ts';

export interface XrayTracingOptions {
  /** A Powertools tracer. Default: one is made, with its settings from the environment. */
  tracer?: Tracer;
}

type Subsegment = NonNullable<Parameters<Parameters<Tracer['provider']['captureAsyncFunc']>[1]>[0]>;
type Failure = { error: unknown };

/**
 * Traces tasks with X-Ray: each task is a subsegment, annotated with `task_name`, `message_id`, `chain_id`, `chain` and
 * `ColdStart`; what it throws is captured, and so are the calls of the S3 and SNS clients in it, and HTTP as
 * Powertools' tracer does. Outside Lambda, and where Powertools' tracing is off, it does nothing.
 *
 * X-Ray's SDK is supported until February 2027: `openTelemetryTracing` is the other way.
 *
 * @example
 * import { xrayTracing } from 'algernon-middy/middlewares/xrayTracing';
 * export const handler = middy(queued(worker)).use(lambdaLogged({ tracing: xrayTracing() }));
 */
export function xrayTracing({ tracer = new Tracer() }: XrayTracingOptions = {}): Tracing {
  const { provider } = tracer;
  quieten(tracer);

  const close = (subsegment: Subsegment | undefined, failure?: Failure) => {
    if (!subsegment) return;
    if (failure && tracer['captureError']) subsegment.addError(asError(failure.error));
    else if (failure) subsegment.addErrorFlag();
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
        // Nothing runs around a direct invocation: as in Powertools' middleware, its subsegment becomes the current one.
        subsegment = annotate(around.addNewSubsegment(name), task);
        provider.setSegment(subsegment);
      }
      return {
        outgoing: {},
        run<T>(work: () => T): T {
          return provider.captureAsyncFunc(name, (opened) => {
            subsegment = opened && annotate(opened, task);
            return work();
          }) as T;
        },
        end(failure) {
          close(subsegment, failure);
          if (task.source === undefined) provider.setSegment(around);
        },
      };
    },

    span(name, work) {
      if (!current()) return work();
      return provider.captureAsyncFunc(`### ${name}`, (subsegment) =>
        finishing(work, (failure) => close(subsegment, failure)),
      ) as ReturnType<typeof work>;
    },

    // X-Ray's own header travels with the captured client.
    send: (_, work) => work({}),

    capture(client) {
      if (captured.has(client)) return;
      captured.add(client);
      tracer.captureAWSv3Client(client);
    },
  };
}

const captured = new WeakSet<object>();

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

/** X-Ray's own lines, from warnings up, by the console of the moment. Its variables go before this. */
function quieten({ provider }: Tracer): void {
  if (process.env.AWS_XRAY_DEBUG_MODE || process.env.AWS_XRAY_LOG_LEVEL) return;
  provider.setLogger({
    error: (...args: unknown[]) => console.error(...args),
    warn: (...args: unknown[]) => console.warn(...args),
    info() {},
    debug() {},
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
