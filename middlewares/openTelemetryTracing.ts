import {
  type Attributes,
  type Context,
  context,
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { finishing } from './tracing/finishing.ts';
import { formatTraceparent, parseTraceparent } from './tracing/traceparent.ts';
import type { TaskFacts, TaskTrace, Tracing } from './tracing/tracing.ts';

export type { TaskFacts, TaskTrace, Tracing } from './tracing/tracing.ts';

export interface OpenTelemetryTracingOptions {
  /** Default: the global tracer provider's tracer `algernon-middy`, asked for when a span starts. */
  tracer?: Tracer;
}

/** A span of ours, and the context in which it is the current one. */
interface OpenTrace extends TaskTrace {
  readonly within: Context;
}

/**
 * Traces tasks with OpenTelemetry: each task is a CONSUMER span, and the sender's span is its parent, by the W3C
 * `traceparent` that travels as a message attribute. Names and attributes follow the semantic conventions for
 * messaging. The span that the invocation itself may have, is linked. SDK, exporter and context manager are yours to
 * set up; without them nothing is traced.
 *
 * Needs `@opentelemetry/api`.
 *
 * @example
 * import { openTelemetryTracing } from 'algernon-middy/middlewares/openTelemetryTracing';
 * export const handler = middy(queued(worker)).use(lambdaLogged({ tracing: openTelemetryTracing() }));
 */
export function openTelemetryTracing(options: OpenTelemetryTracingOptions = {}): Tracing {
  const tracer = () => options.tracer ?? trace.getTracer('algernon-middy');
  /** In a direct invocation the task's span cannot be made the current one, for whatever runs in it. */
  const currentContext = (task?: TaskTrace): Context => {
    const current = trace.getSpan(context.active());
    const own = task && trace.getSpan((task as OpenTrace).within);
    const isInside = current && current.spanContext().traceId === own?.spanContext().traceId;
    return isInside || !task ? context.active() : (task as OpenTrace).within;
  };

  return {
    start(task): OpenTrace {
      const sender = senderOf(task);
      const around = trace.getSpan(context.active())?.spanContext();
      const parent = sender ? trace.setSpanContext(ROOT_CONTEXT, sender) : context.active();
      const kind = task.source === undefined ? SpanKind.SERVER : SpanKind.CONSUMER;
      const links = sender && around && isSpanContextValid(around) ? [{ context: around }] : [];
      const span = tracer().startSpan(nameOf(task), { kind, attributes: attributesOf(task), links }, parent);
      const within = trace.setSpan(sender ? trace.setSpan(context.active(), span) : parent, span);
      return {
        within,
        outgoing: carry(span.spanContext()),
        run: (work) => context.with(within, work),
        end: (failure) => end(span, failure),
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
        () => context.with(trace.setSpan(parent, span), () => work(carry(span.spanContext()))),
        (failure) => end(span, failure),
      );
    },
  };
}

function senderOf({ attributes }: TaskFacts): SpanContext | undefined {
  const place = parseTraceparent(attributes['traceparent']);
  const { tracestate } = attributes;
  return (
    place && { ...place, isRemote: true, ...(tracestate && { traceState: createTraceState(tracestate) }) }
  );
}

function carry(place: SpanContext): Record<string, string> {
  if (!isSpanContextValid(place)) return {};
  const tracestate = place.traceState?.serialize();
  return { traceparent: formatTraceparent(place), ...(tracestate && { tracestate }) };
}

function nameOf({ source, taskName }: TaskFacts): string {
  return source === undefined ? (taskName ?? 'invoke') : `process ${lastOf(source)}`;
}

/** The last part of an ARN: the name of the queue or the topic. */
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

function end(span: Span, failure: { error: unknown } | undefined): void {
  if (failure) {
    const { error } = failure;
    const known = error instanceof Error ? error : new Error(String(error));
    span.recordException(known);
    span.setAttribute('error.type', known.name);
    span.setStatus({ code: SpanStatusCode.ERROR, message: known.message });
  }
  span.end();
}
