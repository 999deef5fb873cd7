import { expect, test } from '@jest/globals';
import { runScript } from '../support/runScript.ts';

/** The modules that a process loads when it imports a file. */
function loadedBy(file: string): string[] {
  const code = `
    import { registerHooks } from 'node:module';
    const urls = [];
    registerHooks({ resolve(name, context, next) {
      const resolved = next(name, context);
      urls.push(resolved.url);
      return resolved;
    } });
    await import('./middlewares/${file}.ts');
    console.log(JSON.stringify(urls));`;
  return JSON.parse(runScript(code)) as string[];
}

const tracers = /node_modules\/(aws-xray-sdk-core|@opentelemetry\/|@aws-lambda-powertools\/tracer)/;

test.each(['lambdaLogged', 'index'])('importing %s loads neither X-Ray nor OpenTelemetry', (file) => {
  const urls = loadedBy(file);
  expect(urls.some((url) => url.includes('@aws-lambda-powertools/logger'))).toBe(true);
  expect(urls.filter((url) => tracers.test(url))).toEqual([]);
});

test('importing lambdaLogged loads no AWS client', () => {
  expect(loadedBy('lambdaLogged').filter((url) => url.includes('@aws-sdk/'))).toEqual([]);
});

test('each tracing module loads only its own library', () => {
  const by = (file: string) => {
    const found = loadedBy(file).flatMap((url) => tracers.exec(url)?.[1] ?? []);
    return [...new Set(found)].sort();
  };
  expect(by('openTelemetryTracing')).toEqual(['@opentelemetry/']);
  expect(by('xrayTracing')).toEqual(['@aws-lambda-powertools/tracer', 'aws-xray-sdk-core']);
});
