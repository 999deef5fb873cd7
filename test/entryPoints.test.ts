import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { runScript } from './support/runScript.ts';

/** Imports an entry point in a child process. Returns the packages and built-in modules that this loads. */
function loadedBy(entry: string): string[] {
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = new Set();
    registerHooks({
      resolve(specifier, context, next) {
        const { url } = next(specifier, context);
        if (url.startsWith('node:')) loaded.add(url);
        const [, name] = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? [];
        if (name) loaded.add(name);
        return { url, shortCircuit: true };
      },
    });
    await import(${JSON.stringify(new URL(`../${entry}`, import.meta.url).href)});
    console.log(JSON.stringify([...loaded].sort()));
  `;
  return JSON.parse(runScript(script));
}

const aws = /^@aws-sdk\/client-/;
const direct = (modules: string[]) =>
  modules.filter((name) => aws.test(name) || /middy|powertools|opentelemetry|fauxqs/.test(name));

test('core loads no package and no Node module', () => {
  expect(loadedBy('core/index.ts')).toEqual([]);
});

test('sqsSnsUnwrap loads no package and no Node module', () => {
  expect(loadedBy('middlewares/sqsSnsUnwrap.ts')).toEqual([]);
});

test('each middleware alone loads only what it needs', () => {
  expect(direct(loadedBy('middlewares/contextResources.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/storedDataHydrate.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/callbackPublisher.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/lambdaLogged.ts'))).toEqual([
    '@aws-lambda-powertools/commons',
    '@aws-lambda-powertools/logger',
  ]);
  expect(direct(loadedBy('middlewares/failurePolicy.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/chainEvents.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/taskMetrics.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/s3Sink.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/extendedPayload.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/stepFunctionsTask.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/idempotent.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/cancellable.ts'))).toEqual([]);
});

test('so do the sender, the topic look-ups and tracing', () => {
  expect(direct(loadedBy('middlewares/sendTask.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/cancelTask.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/cancelChain.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/sendGroup.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/storeData.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/preloadClients.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/readData.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/topicsFromSsm.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/topicsByDisplayName.ts'))).toEqual([]);
  expect(direct(loadedBy('middlewares/openTelemetryTracing.ts'))).toEqual(['@opentelemetry/api']);
  expect(direct(loadedBy('middlewares/xrayTracing.ts'))).toEqual([
    '@aws-lambda-powertools/commons',
    '@aws-lambda-powertools/tracer',
  ]);
});

test('every entry point of the package exists', () => {
  const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const entries = Object.keys(exports).filter((entry) => entry.startsWith('./middlewares/'));
  const files = readdirSync(new URL('../middlewares', import.meta.url)).filter((name) =>
    name.endsWith('.ts'),
  );
  const named = files
    .filter((name) => name !== 'index.ts')
    .map((name) => `./middlewares/${name.replace('.ts', '')}`);
  expect(entries.sort()).toEqual(named.sort());
});

test('the whole package loads no optional peer, no tracer and nothing of local/', () => {
  expect(direct(loadedBy('middlewares/index.ts'))).toEqual([
    '@aws-lambda-powertools/commons',
    '@aws-lambda-powertools/logger',
  ]);
});

test('local/ loads its optional peers on start, not on import', () => {
  expect(direct(loadedBy('local/index.ts'))).toEqual(['@aws-sdk/client-s3', '@aws-sdk/client-sns']);
  expect(direct(loadedBy('local/testing.ts'))).toEqual(['@aws-sdk/client-s3', '@aws-sdk/client-sns']);
});
