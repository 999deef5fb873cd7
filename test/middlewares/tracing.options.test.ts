import { expect, test } from '@jest/globals';
import { traced } from '../../middlewares/index.ts';
import { openTelemetryTracing } from '../../middlewares/openTelemetryTracing.ts';
import { xrayTracing } from '../../middlewares/xrayTracing.ts';
import { runScript } from '../support/runScript.ts';

test.each<[string, () => unknown, string]>([
  ['an unknown option', () => xrayTracing({ trace: 1 } as never), 'xrayTracing: there is no option "trace"'],
  ['a bad tracer', () => xrayTracing({ tracer: {} as never }), 'tracer must be a Powertools Tracer'],
  ['an unknown option', () => openTelemetryTracing({ trace: 1 } as never), 'there is no option "trace"'],
  ['a bad tracer', () => openTelemetryTracing({ tracer: {} as never }), 'tracer must be a tracer'],
  ['an empty name', () => traced('', () => 1), 'traced: name must be a string that is not empty'],
  ['no function', () => traced('resize', 1 as never), 'traced: work must be a function'],
])('refuses %s at the call', (_, call, message) => {
  expect(call).toThrow(message);
});

test('importing xrayTracing without its package says how to install it', () => {
  const code = `
    import { registerHooks } from 'node:module';
    const name = '@aws-lambda-powertools/tracer';
    registerHooks({ resolve(specifier, context, next) {
      if (specifier !== name) return next(specifier, context);
      throw Object.assign(new Error(\`Cannot find package '\${name}'\`), { code: 'ERR_MODULE_NOT_FOUND' });
    } });
    await import('./middlewares/xrayTracing.ts').catch(({ code, message }) => console.log(code, message));`;
  expect(runScript(code)).toBe(
    'MISSING_PACKAGE xrayTracing needs @aws-lambda-powertools/tracer: npm install @aws-lambda-powertools/tracer\n',
  );
});
