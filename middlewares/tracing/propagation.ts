import {
  type Context,
  createTraceState,
  isSpanContextValid,
  propagation,
  type TextMapGetter,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';

type Attributes = Readonly<Record<string, string>>;
type Carrier = Record<string, string>;

/** The part of a propagator that is used here. */
interface Propagator {
  inject(context: Context, carrier: Carrier, setter: TextMapSetter<Carrier>): void;
  extract(context: Context, carrier: Attributes, getter: TextMapGetter<Attributes>): Context;
}

const getter: TextMapGetter<Attributes> = {
  keys: Object.keys,
  get: (carrier, key) => (Object.hasOwn(carrier, key) ? carrier[key] : undefined),
};
const setter: TextMapSetter<Carrier> = {
  set(carrier, key, value) {
    // SNS refuses other names and values.
    if (/^[\w.-]{1,256}$/.test(key) && typeof value === 'string' && value !== '') carrier[key] = value;
  },
};

/** The message attributes that carry a context on. */
export function injectContext(context: Context): Carrier {
  const carrier: Carrier = {};
  quietly(() => propagator()?.inject(context, carrier, setter));
  return carrier;
}

/** A context with the trace of the sender's message attributes. */
export function extractContext(context: Context, attributes: Attributes): Context {
  return quietly(() => propagator()?.extract(context, attributes, getter)) ?? context;
}

/** A message that cannot be traced is still processed and sent. */
function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** The global propagator, or by default W3C Trace Context, unless `OTEL_PROPAGATORS=none`. */
function propagator(): Propagator | undefined {
  if (propagation.fields().length > 0) return propagation;
  return process.env.OTEL_PROPAGATORS?.trim() === 'none' ? undefined : traceContext;
}

const traceparent = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** The W3C's `traceparent` and `tracestate`. */
const traceContext: Propagator = {
  inject(context, carrier, setter) {
    const span = trace.getSpanContext(context);
    if (!span || !isSpanContextValid(span)) return;
    const flags = (span.traceFlags & 0xff).toString(16).padStart(2, '0');
    setter.set(carrier, 'traceparent', `00-${span.traceId}-${span.spanId}-${flags}`);
    if (span.traceState) setter.set(carrier, 'tracestate', span.traceState.serialize());
  },
  extract(context, carrier, getter) {
    const text = String(getter.get(carrier, 'traceparent') ?? '');
    const [, version, traceId = '', spanId = '', flags = '', rest] = traceparent.exec(text) ?? [];
    const span = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
    if (!isSpanContextValid(span) || version === 'ff' || (version === '00' && rest !== undefined))
      return context;
    const state = getter.get(carrier, 'tracestate');
    const traceState = typeof state === 'string' && state !== '' ? createTraceState(state) : undefined;
    return trace.setSpanContext(context, { ...span, ...(traceState && { traceState }) });
  },
};
