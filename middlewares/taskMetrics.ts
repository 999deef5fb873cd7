import type { Metrics } from '@aws-lambda-powertools/metrics';
import type { MiddlewareObj } from '@middy/core';
import type { DeliveryEvent, FailedEvent, SucceededEvent } from '../core/chains/ChainEvent.ts';
import { checkOptions, listOf, type OptionCheck, text, whole } from '../core/checkOptions.ts';
import { isTopicName } from '../core/tasks/nextTask.ts';
import { missingPeer } from './aws/missingPeer.ts';
import { observeTask } from './events/observeTask.ts';
import { stageMiddleware } from './middy/stageMiddleware.ts';

/** Options of {@link taskMetrics}. */
export interface TaskMetricsOptions {
  /** The namespace in CloudWatch. Default: `POWERTOOLS_METRICS_NAMESPACE`, else `algernon-middy`. */
  namespace?: string;
  /** The value of the dimension `service`. Default: `POWERTOOLS_SERVICE_NAME`, else the name of the function. */
  serviceName?: string;
  /** The tasks that get separate metrics; others count as `other`. Default: each task that the handler knows, up to `maxTasks`. */
  tasks?: readonly string[];
  /** The maximum number of names of tasks, if `tasks` is not given. Default 50. */
  maxTasks?: number;
}

/** The codes of failures that show that the handler does not know a task. */
const unknownCodes: ReadonlySet<unknown> = /* @__PURE__ */ new Set([
  'UNKNOWN_TASK',
  'NOT_A_TASK',
  'MESSAGE_NOT_JSON',
]);

const taskNames: OptionCheck = /* @__PURE__ */ listOf({
  expected: 'the name of a task',
  test: (value) => typeof value === 'string' && isTopicName(value),
});

/**
 * Writes CloudWatch metrics of each task, in the embedded metric format, through Powertools: `TaskDuration` (how long the
 * handler ran) and `TaskAge` (how long ago the message was sent) in milliseconds, `TaskFailures` (0 or 1) and `TaskAttempts`
 * (how often the message was received). The dimensions are `service` and `task_name`. Needs `@aws-lambda-powertools/metrics`.
 *
 * Each name of a task makes metrics that cost money, and names come from messages. A task that the handler does not know
 * counts as `unknown`, and further names beyond `maxTasks` as `other`.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * export const handler = middy(queued(routeTasks({ resize, describe })))
 *   .use(taskMetrics({ namespace: 'images', tasks: ['resize', 'describe'] }))
 *   .use(sqsPartialBatchFailure())
 *   .use(sqsSnsUnwrap());
 */
export function taskMetrics(options: TaskMetricsOptions = {}): MiddlewareObj {
  const { tasks, maxTasks = 50 } = checkOptions('taskMetrics', options, {
    namespace: text('a text'),
    serviceName: text('a text'),
    tasks: taskNames,
    maxTasks: whole(0),
  });
  const names = new Set(tasks);
  const opened = new Map<string, Metrics>();
  let loading: Promise<typeof import('@aws-lambda-powertools/metrics')> | undefined;

  const nameOf = (event: SucceededEvent | FailedEvent): string => {
    const { taskName } = event;
    if (taskName !== undefined && names.has(taskName)) return taskName;
    const isUnknown = event.type === 'failed' && unknownCodes.has(event.error.code);
    if (taskName === undefined || isUnknown || !isTopicName(taskName)) return 'unknown';
    if (tasks || names.size >= maxTasks) return 'other';
    names.add(taskName);
    return taskName;
  };

  const metricsOf = (sdk: typeof import('@aws-lambda-powertools/metrics'), taskName: string): Metrics => {
    let metrics = opened.get(taskName);
    if (!metrics) {
      const { POWERTOOLS_METRICS_NAMESPACE, POWERTOOLS_SERVICE_NAME, AWS_LAMBDA_FUNCTION_NAME } = process.env;
      const serviceName = options.serviceName ?? (POWERTOOLS_SERVICE_NAME || AWS_LAMBDA_FUNCTION_NAME);
      metrics = new sdk.Metrics({
        namespace: options.namespace ?? (POWERTOOLS_METRICS_NAMESPACE || 'algernon-middy'),
        ...(serviceName && { serviceName }),
        // Other dimensions are dropped whenever metrics are written.
        defaultDimensions: { task_name: taskName },
      });
      opened.set(taskName, metrics);
    }
    return metrics;
  };

  return stageMiddleware({
    name: 'taskMetrics',
    order: { at: 'observe' },
    passive: true,
    open({ onEnd }) {
      loading ??= import('@aws-lambda-powertools/metrics').catch(
        missingPeer('@aws-lambda-powertools/metrics', 'taskMetrics'),
      );
      // It is awaited at the end, where its error is reported.
      loading.catch(() => {
        loading = undefined;
      });
      const sdk = loading;
      const ended: Ended[] = [];
      onEnd(async () => {
        if (ended.length === 0) return;
        const loaded = await sdk;
        const used = new Set<Metrics>();
        for (const task of ended.splice(0)) {
          const metrics = metricsOf(loaded, nameOf(task.end));
          used.add(metrics);
          addMetrics(metrics, task);
        }
        for (const metrics of used) if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
      });
      return {
        around(run, next) {
          let sentAt: number | undefined;
          return observeTask(run, next, (event: DeliveryEvent) => {
            if (event.type === 'received') sentAt = event.sentAt;
            if (event.type === 'succeeded' || event.type === 'failed') ended.push({ end: event, sentAt });
          });
        },
      };
    },
  });
}

interface Ended {
  readonly end: SucceededEvent | FailedEvent;
  readonly sentAt: number | undefined;
}

function addMetrics(metrics: Metrics, { end, sentAt }: Ended): void {
  const { type, at, attempt, durationMillis } = end;
  if (durationMillis !== undefined) metrics.addMetric('TaskDuration', 'Milliseconds', durationMillis);
  if (sentAt !== undefined) metrics.addMetric('TaskAge', 'Milliseconds', Math.max(0, at - sentAt));
  metrics.addMetric('TaskFailures', 'Count', type === 'failed' ? 1 : 0);
  metrics.addMetric('TaskAttempts', 'Count', attempt);
}
