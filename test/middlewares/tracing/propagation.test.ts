import { afterEach, describe, expect, test } from '@jest/globals';
import {
  createTraceState,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  type TextMapGetter,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';
import { extractContext, injectContext } from '../../../middlewares/tracing/propagation.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const span: SpanContext = { traceId, spanId, traceFlags: 1 };
const contextOf = (more: Partial<SpanContext> = {}) =>
  trace.setSpanContext(ROOT_CONTEXT, { ...span, ...more });
const extract = (attributes: Record<string, string>) =>
  trace.getSpanContext(extractContext(ROOT_CONTEXT, attributes));

afterEach(() => {
  propagation.disable();
  delete process.env.OTEL_PROPAGATORS;
});

describe('the W3C traceparent', () => {
  test.each([
    [0, '00'],
    [1, '01'],
    [0x1f, '1f'],
    [0x101, '01'],
  ])('has the trace flags %i as %s', (traceFlags, text) => {
    expect(injectContext(contextOf({ traceFlags }))).toEqual({
      traceparent: `00-${traceId}-${spanId}-${text}`,
    });
  });

  test('is not sent without a valid span', () => {
    expect(injectContext(ROOT_CONTEXT)).toEqual({});
    expect(injectContext(contextOf({ spanId: '0000000000000000' }))).toEqual({});
  });

  test('is sent with the tracestate, unless that is empty', () => {
    const sent = (text: string) => injectContext(contextOf({ traceState: createTraceState(text) }));
    expect(sent('vendor=1,other=2')).toMatchObject({ tracestate: 'vendor=1,other=2' });
    expect(sent('')).toEqual({ traceparent: `00-${traceId}-${spanId}-01` });
  });

  test.each([
    [`00-${traceId}-${spanId}-00`, 0],
    [`00-${traceId}-${spanId}-01`, 1],
    [`00-${traceId}-${spanId}-1f`, 0x1f],
    [`01-${traceId}-${spanId}-01`, 1],
    [`01-${traceId}-${spanId}-01-more`, 1],
    [`cc-${traceId}-${spanId}-01-`, 1],
  ])('is received: %s', (traceparent, traceFlags) => {
    expect(extract({ traceparent })).toEqual({ traceId, spanId, traceFlags, isRemote: true });
  });

  test.each([
    `x00-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01x`,
    `01-${traceId}-${spanId}-01more`,
    `00-${traceId}-${spanId}-01-`,
    `00-${traceId}-${spanId}-01-more`,
    `ff-${traceId}-${spanId}-01`,
    `0-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-1`,
    `00-${traceId}-${spanId}-0g`,
    `0g-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId.slice(1)}-01`,
    `00-${traceId.slice(1)}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    '',
  ])('is ignored: %j', (traceparent) => {
    expect(extract({ traceparent })).toBeUndefined();
    expect(extractContext(ROOT_CONTEXT, { traceparent })).toBe(ROOT_CONTEXT);
  });

  test('is received with its tracestate, unless that is empty', () => {
    const traceparent = `00-${traceId}-${spanId}-01`;
    const received = extract({ traceparent, tracestate: 'vendor=1' });
    expect(received?.traceState?.serialize()).toBe('vendor=1');
    expect(extract({ traceparent, tracestate: '' })).not.toHaveProperty('traceState');
    expect(extract({ tracestate: 'vendor=1' })).toBeUndefined();
  });

  test('is looked for among the own properties of the attributes only', () => {
    const inherited = Object.create({ traceparent: `00-${traceId}-${spanId}-01` });
    expect(extract(inherited)).toBeUndefined();
  });
});

/** A global propagator that gives its test the getter and the setter. */
function propagate(work: {
  inject?(set: (key: string, value: string) => void): void;
  extract?(get: (key: string) => unknown, keys: string[]): void;
}): void {
  propagation.setGlobalPropagator({
    fields: () => ['x'],
    inject: (_, carrier, { set }: TextMapSetter) => work.inject?.((key, value) => set(carrier, key, value)),
    extract: (context, carrier, { get, keys }: TextMapGetter) => {
      work.extract?.((key) => get(carrier, key), keys(carrier));
      return context;
    },
  });
}

describe('a global propagator', () => {
  test('sets only attributes that SNS accepts', () => {
    const accepted = ['x', 'x-b3.trace_id', 'x'.repeat(256)];
    propagate({
      inject(set) {
        for (const key of [...accepted, '', 'not allowed', ' x', 'x ', 'x:y', 'x'.repeat(257)]) {
          set(key, 'value');
        }
        set('empty', '');
        set('number', 1 as never);
      },
    });
    expect(injectContext(contextOf())).toEqual(Object.fromEntries(accepted.map((key) => [key, 'value'])));
  });

  test('reads the attributes of the message', () => {
    const seen: unknown[] = [];
    propagate({ extract: (get, keys) => void seen.push(get('b3'), get('toString'), keys) });
    extractContext(ROOT_CONTEXT, { b3: '1' });
    expect(seen).toEqual(['1', undefined, ['b3']]);
  });

  test('replaces the W3C headers, even with OTEL_PROPAGATORS=none', () => {
    process.env.OTEL_PROPAGATORS = 'none';
    propagate({ inject: (set) => set('b3', '1') });
    expect(injectContext(contextOf())).toEqual({ b3: '1' });
  });
});

test.each([
  ['none', {}],
  [' none ', {}],
  ['tracecontext', { traceparent: `00-${traceId}-${spanId}-01` }],
])('without a global propagator, OTEL_PROPAGATORS=%j sends %j', (value, sent) => {
  process.env.OTEL_PROPAGATORS = value;
  expect(injectContext(contextOf())).toEqual(sent);
});
