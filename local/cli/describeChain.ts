import type { AttemptState, ChainState, TaskState } from '../../core/chains/ChainState.ts';
import { plain } from './output.ts';

/** A chain as a tree of its tasks, with the times of each attempt. */
export function describeChain({ chainId, status, startedAt, updatedAt, tasks, groups }: ChainState): string {
  return [
    `${plain(chainId)}  ${status}  ${dateOf(startedAt)} ${timeOf(startedAt)}  ${seconds(updatedAt - startedAt)}`,
    ...tasks.flatMap((task) => {
      const indent = '  '.repeat(Math.min(task.depth, maxIndent) + 1);
      return describeTask(task).map((line) => `${indent}${line}`);
    }),
    ...groups.map(({ id, of, joined, failed, isOpen }) => {
      const state = isOpen ? 'open' : 'done';
      const errors = failed.length > 0 ? `, ${failed.length} failed` : '';
      return `  group ${plain(id)}  ${state}  ${joined.length} of ${of} branches joined${errors}`;
    }),
  ].join('\n');
}

/** Deeper tasks are not indented further: a chain may be longer than the terminal is wide. */
const maxIndent = 20;

function describeTask({ taskName, messageId, status, role, attempts, missing, dueAt }: TaskState): string[] {
  const due = status === 'waiting' && dueAt !== undefined ? [`due ${timeOf(dueAt)}`] : [];
  const head = [plain(taskName ?? 'unknown task'), plain(messageId), status, ...due];
  if (role !== undefined && role !== 'callback') head.push(`(${role})`);
  return [
    head.join('  '),
    ...attempts.map((attempt) => `  ${describeAttempt(attempt)}`),
    ...missing.map((name) => `  sent ${plain(name)}, of which there is no event`),
  ];
}

function describeAttempt(state: AttemptState): string {
  const { attempt, outcome, receivedAt, startedAt, error, retry, deadLetter } = state;
  const times = [
    duration('waited', state.queueMillis),
    duration('ran', state.runMillis),
    duration('stored', state.storeMillis),
    duration('published', state.publishMillis),
  ].flat();
  const at = receivedAt ?? startedAt;
  return [
    `#${attempt}`,
    ...(at === undefined ? [] : [timeOf(at)]),
    ...(times.length > 0 ? [times.join(', ')] : []),
    error === undefined ? outcome : `failed: ${plain(error.name)}: ${plain(error.message)}`,
    ...(retry ? [`again at ${timeOf(retry.dueAt)}`] : []),
    ...(deadLetter ? ['dead-lettered'] : []),
  ].join('  ');
}

function duration(name: string, millis: number | undefined): string[] {
  return millis === undefined ? [] : [`${name} ${seconds(millis)}`];
}

function seconds(millis: number): string {
  return `${(millis / 1000).toFixed(3)} s`;
}

function dateOf(millis: number): string {
  return isoOf(millis).slice(0, 10);
}

function timeOf(millis: number): string {
  return isoOf(millis).slice(11, 23);
}

/** The time in UTC. An event may have any number. */
function isoOf(millis: number): string {
  const date = new Date(millis);
  return Number.isNaN(date.getTime()) ? '????-??-??T??:??:??.???' : date.toISOString();
}
