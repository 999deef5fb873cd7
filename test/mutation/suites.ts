import { globSync } from 'node:fs';

/**
 * Which suites judge which folders and files; the first key that fits counts. A change is judged by the tests beside its folder,
 * and by the middlewares that are its only caller. `MUTATE_TESTS`, globs with commas between them, replaces them.
 */
const suites: Readonly<Record<string, readonly string[]>> = {
  'core/ajson': ['test/core/ajson/**'],
  'core/batch': [
    'test/core/batch/**',
    'test/core/tasks/**',
    'test/middlewares/{events,optionChecks,options.,skip,stages}*',
  ],
  'core/chains': ['test/core/chains/**', 'test/middlewares/options.*'],
  'core/groups': ['test/core/groups/**', 'test/groups/**', 'test/middlewares/{groups.,options.}*'],
  'core/storedData': ['test/core/storedData/**', 'test/middlewares/storedDataHydrate*'],
  'core/tasks': ['test/core/tasks/**', 'test/core/nextTask*', 'test/core/batch/{queued,runTask}*'],
  core: ['test/core/*'],
  'middlewares/aws': [
    'test/middlewares/aws/**',
    'test/middlewares/{isFinalFault,optionChecks,options.,snsPublisher,s3*,sqsQueues,topics}*',
  ],
  'middlewares/callbacks': [
    'test/middlewares/callbacks/**',
    'test/middlewares/{callbackPublisher,gatherMessages,extraCallbacks,isFollowed}*',
  ],
  'middlewares/cancelling': ['test/middlewares/cancelling/**', 'test/middlewares/cancel*'],
  'middlewares/events': [
    'test/middlewares/events/**',
    'test/middlewares/{chainEvents,groupEvents,options.,s3Sink,taskMetrics}*',
  ],
  'middlewares/groups': [
    'test/middlewares/groups/**',
    'test/middlewares/{groups.,groupEvents,options.,sendGroup}*',
  ],
  'middlewares/logging': [
    'test/middlewares/logging/**',
    'test/middlewares/{lambdaLogged,logging.,options.}*',
  ],
  'middlewares/middy': [
    'test/middlewares/middy/**',
    'test/core/batch/queued*',
    'test/middlewares/{contextResources,durable,events,faults,hostile,lambdaLogged.t,options.,redelivery,skip,stages,stepFunctionsTask,storedDataHydrate}*',
  ],
  'middlewares/once': ['test/middlewares/once/**', 'test/middlewares/{idempotent,onceOrders,taskRecords}*'],
  'middlewares/resources': ['test/middlewares/resources/**', 'test/middlewares/{contextResources,options.}*'],
  'middlewares/sending': [
    'test/middlewares/sending/**',
    'test/middlewares/{extendedPayload,options.,sendTask}*',
  ],
  'middlewares/tracing': ['test/middlewares/tracing/**', 'test/middlewares/options.*'],
  'middlewares/callbackPublisher.ts': [
    'test/middlewares/callbacks/{deadline,followedLater}*',
    'test/middlewares/{callbackPublisher,extendedPayload,extraCallbacks,groups.,skip,waitToSend,options.}*',
  ],
  'middlewares/chainEvents.ts': ['test/middlewares/{chainEvents,groupEvents,options.}*'],
  'middlewares/contextResources.ts': [
    'test/middlewares/resources/**',
    'test/middlewares/{contextResources,options.}*',
  ],
  'middlewares/extendedPayload.ts': ['test/middlewares/{extendedPayload,options.}*'],
  'middlewares/failurePolicy.ts': ['test/middlewares/{failurePolicy,retryLater,options.}*'],
  'middlewares/idempotent.ts': ['test/middlewares/{idempotent.,onceOrders,options.}*'],
  'middlewares/lambdaLogged.ts': ['test/middlewares/{lambdaLogged,logging.,options.}*'],
  'middlewares/openTelemetryTracing.ts': ['test/middlewares/{options.,tracing.openTelemetry}*'],
  'middlewares/xrayTracing.ts': ['test/middlewares/{options.,tracing.xray}*'],
  'middlewares/sendGroup.ts': ['test/middlewares/{groups.,sendGroup,options.}*'],
  'middlewares/sendTask.ts': ['test/middlewares/{sendTask,options.}*'],
  'middlewares/stepFunctionsTask.ts': ['test/middlewares/{stepFunctionsTask,options.}*'],
  middlewares: [
    'test/middlewares/{cancellable,preloadClients,s3Sink,sendTask.,sqsSnsUnwrap,storeData,storedDataHydrate}*',
    'test/middlewares/{events,taskMetrics,topics,options.}*',
  ],
};

/** One run of the tester: its name, what it mutates and the suites that judge it. */
export interface Row {
  readonly name: string;
  /** Files, or folders without the folders in them that have a row. */
  readonly paths: readonly string[];
  readonly tests: readonly string[];
}

const within = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

/** The runs for some folders and files; all without any. */
export function rowsFor(targets: readonly string[]): Row[] {
  const wanted = targets.map((target) => target.replace(/\/$/, ''));
  return Object.entries(suites).flatMap(([folder, globs]) => {
    const whole = wanted.length === 0 || wanted.some((target) => within(folder, target));
    const paths = whole ? [folder] : wanted.filter((target) => rowOf(target) === folder);
    const tests = globs.map((glob) => `${glob}test.ts`.replace('/**test', '/**/*.test'));
    return paths.length === 0 ? [] : [{ name: folder.replaceAll('/', '.'), paths, tests }];
  });
}

/** The row that a file belongs to. */
export function rowOf(path: string): string | undefined {
  return Object.keys(suites).find((folder) => within(path, folder));
}

/** The sources of files and folders. A folder leaves out those of a row below it. */
export function filesOf(root: string, paths: readonly string[]): string[] {
  return paths.flatMap((path) =>
    path.endsWith('.ts')
      ? [path]
      : globSync(`${path}/**/*.ts`, { cwd: root })
          .filter((file) => rowOf(file) === rowOf(path))
          .sort(),
  );
}
