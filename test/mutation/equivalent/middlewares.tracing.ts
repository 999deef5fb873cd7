import type { Equivalents } from '../score.ts';

export const equivalent: Equivalents = {
  'middlewares/tracing/propagation.ts': [
    ['} catch {', '} catch {}', 'returns undefined in both cases'],
    [
      'quietly(() => propagator()?.inject(context, carrier, setter));',
      'quietly(() => propagator().inject(context, carrier, setter));',
      'quietly catches the TypeError',
    ],
    [
      'return quietly(() => propagator()?.extract(context, attributes, getter)) ?? context;',
      'return quietly(() => propagator().extract(context, attributes, getter)) ?? context;',
      'quietly catches the TypeError',
    ],
    [
      "if (span.traceState) setter.set(carrier, 'tracestate', span.traceState.serialize());",
      "if (true) setter.set(carrier, 'tracestate', span.traceState.serialize());",
      'serialize of undefined throws after traceparent is set, and quietly catches that',
    ],
    [
      "const text = String(getter.get(carrier, 'traceparent') ?? '');",
      'const text = String(getter.get(carrier, \'traceparent\') ?? "Stryker was here!");',
      'no traceparent either',
    ],
    [
      "const [, version, traceId = '', spanId = '', flags = '', rest] = traceparent.exec(text) ?? [];",
      "const [, version, traceId = \"Stryker was here!\", spanId = '', flags = '', rest] = traceparent.exec(text) ?? [];",
      'not a valid trace id either',
    ],
    [
      "const [, version, traceId = '', spanId = '', flags = '', rest] = traceparent.exec(text) ?? [];",
      "const [, version, traceId = '', spanId = \"Stryker was here!\", flags = '', rest] = traceparent.exec(text) ?? [];",
      'not a valid span id either',
    ],
    [
      "const [, version, traceId = '', spanId = '', flags = '', rest] = traceparent.exec(text) ?? [];",
      "const [, version, traceId = '', spanId = '', flags = \"Stryker was here!\", rest] = traceparent.exec(text) ?? [];",
      'parsed as NaN, in a span context that is not valid anyway',
    ],
    [
      "const [, version, traceId = '', spanId = '', flags = '', rest] = traceparent.exec(text) ?? [];",
      "const [, version, traceId = '', spanId = '', flags = '', rest] = traceparent.exec(text) ?? [\"Stryker was here\"];",
      'its first item is not used',
    ],
  ],
};
