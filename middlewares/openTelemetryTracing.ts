import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { checkOptions, withMethod } from '../core/checkOptions.ts';
import { asError, type End, finishing, once } from './tracing/finishing.ts';
import { extractContext, injectContext } from './tracing/propagation.ts';
import type { TaskFacts, TaskTrace, Tracing } from './tracing/tracing.ts';

export type { TaskFacts, TaskTrace, Tracing } from './tracing/tracing.ts';

/** Options of {@link openTelemetryTracing}. */
export interface OpenTelemetryTracingOptions {
  /** Default: the tracer `algernon-middy` of the global provider, looked up when a span starts. */
  tracer?: Tracer;
}

/** A task's span, and the context in which it is current. */
interface OpenTrace extends TaskTrace {
  readonly within: Context;
}

/**
 * Traces tasks with OpenTelemetry. Each task is a CONSUMER span whose parent is the sender's span. Names and attributes
 * follow the semantic conventions for messaging, and the invocation's own span is linked. Set up the SDK, the exporter
 * and the context manager yourself; without them nothing is traced.
 *
 * The context travels in message attributes, by the global propagator: baggage, B3 or whatever `OTEL_PROPAGATORS` names.
 * Without a global propagator it is the W3C's `traceparent` and `tracestate`; `OTEL_PROPAGATORS=none` switches that off.
 * SNS and SQS take ten attributes per message.
 *
 * Needs `@opentelemetry/api`.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * import { openTelemetryTracing } from 'algernon-middy/middlewares/openTelemetryTracing';
 * export const handler = middy(queued(worker)).use(lambdaLogged({ tracing: openTelemetryTracing() }));
 */
export function openTelemetryTracing(options: OpenTelemetryTracingOptions = {}): Tracing {
  checkOptions('openTelemetryTracing', options, { tracer: withMethod('startSpan', 'a tracer') });
  const tracer = () => options.tracer ?? trace.getTracer('algernon-middy');
  /** In a direct invocation the task's span is not the current one of the handler. */
  const currentContext = (task?: TaskTrace): Context => {
    const current = trace.getSpan(context.active());
    const own = task && trace.getSpan((task as OpenTrace).within);
    const isInside = current && current.spanContext().traceId === own?.spanContext().traceId;
    return isInside || !task ? context.active() : (task as OpenTrace).within;
  };

  return {
    start(task): OpenTrace {
      const active = context.active();
      const around = trace.getSpan(active);
      const received = extractContext(trace.deleteSpan(active), task.attributes);
      const sender = trace.getSpanContext(received);
      const isSent = sender !== undefined && isSpanContextValid(sender);
      const parent = isSent || !around ? received : trace.setSpan(received, around);
      const outer = around?.spanContext();
      const links = isSent && outer && isSpanContextValid(outer) ? [{ context: outer }] : [];
      const kind = task.source === undefined ? SpanKind.SERVER : SpanKind.CONSUMER;
      const span = tracer().startSpan(nameOf(task), { kind, attributes: attributesOf(task), links }, parent);
      const within = trace.setSpan(parent, span);
      return {
        within,
        outgoingAttributes: injectContext(within),
        run: (work) => context.with(within, work),
        end: once((failure) => end(span, failure)),
      };
    },

    span(name, work, task) {
      const parent = currentContext(task);
      const span = tracer().startSpan(name, {}, parent);
      return finishing(
        () => context.with(trace.setSpan(parent, span), work),
        (failure) => end(span, failure),
      );
    },

    send(topicArn, work, task) {
      const parent = currentContext(task);
      const attributes = messagingOf(topicArn, 'send');
      const name = `send ${lastOf(topicArn)}`;
      const span = tracer().startSpan(name, { kind: SpanKind.PRODUCER, attributes }, parent);
      return finishing(
        () => {
          const within = trace.setSpan(parent, span);
          return context.with(within, () => work(injectContext(within)));
        },
        (failure) => end(span, failure),
      );
    },
  };
}

function nameOf({ source, taskName }: TaskFacts): string {
  return source === undefined ? (taskName ?? 'invoke') : `process ${lastOf(source)}`;
}

/** The name of a queue or a topic, from its ARN. */
function lastOf(arn: string): string {
  return arn.slice(arn.lastIndexOf(':') + 1);
}

function messagingOf(arn: string, operation: 'process' | 'send'): Attributes {
  return {
    'messaging.system': arn.includes(':sns:') ? 'aws.sns' : 'aws_sqs',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.destination.name': lastOf(arn),
  };
}

function attributesOf(task: TaskFacts): Attributes {
  const { source, messageId, taskName, chainId, chain, receiveCount, coldStart } = task;
  const messaging = source !== undefined && {
    ...messagingOf(source, 'process'),
    'messaging.message.id': messageId,
    'messaging.message.conversation_id': chainId,
  };
  return {
    ...messaging,
    'faas.coldstart': coldStart,
    'algernon.chain_id': chainId,
    ...(taskName !== undefined && { 'algernon.task_name': taskName }),
    ...(chain !== undefined && { 'algernon.chain': chain }),
    ...(receiveCount !== undefined && { 'algernon.receive_count': receiveCount }),
  };
}

function end(span: Span, failure: Parameters<End>[0]): void {
  if (failure) {
    const { error } = failure;
    const exception = asError(error);
    span.recordException(exception);
    span.setAttribute('error.type', exception.name);
    span.setStatus({ code: SpanStatusCode.ERROR, message: exception.message });
  }
  span.end();
}
