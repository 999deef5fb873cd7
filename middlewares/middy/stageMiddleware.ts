import type { MiddlewareObj } from '@middy/core';
import { assertNotDurable, EventError } from '../../core/batch/events.ts';
import {
  addStage,
  clearDeadline,
  duplicateStage,
  pipelineOf,
  pipelineProperty,
} from '../../core/batch/pipeline.ts';
import { type Around, isStageOrder, type Stage, type StageOrder } from '../../core/batch/stage.ts';
import { checkOptions, flag, func, text } from '../../core/checkOptions.ts';
import { OptionError } from '../../core/errors.ts';
import { assertBatchDone } from './assertBatchDone.ts';
import { endDirect, failDirect, isDirect, startDirect } from './directStage.ts';
import { addToContext, type GuardedRequest, guardRequest } from './guardRequest.ts';
import { type Invocation, openInvocation } from './invocation.ts';
import { openPart, runEnds } from './invocationWork.ts';
import { asThrown } from './writeOutcome.ts';

export { PipelineNotRunError } from './assertBatchDone.ts';
export type { Invocation } from './invocation.ts';

/** A stage, as a middleware declares it. */
export interface StageOptions {
  /** A name that is unique in a stack. */
  name: string;
  /** Where the stage runs. Default `{ after: 'hydrate' }`: next to the handler. */
  order?: StageOrder;
  /** Runs around the handler, once per record. */
  around?: Around;
  /** Instead of `around`: called once per invocation, and returns the `around` of its records, if any. */
  open?: (invocation: Invocation) => { around?: Around } | undefined;
  /**
   * Whether a record may be done although the stage did not run around it, as in a loop that does not use `runTask`. Default
   * false.
   */
  passive?: boolean;
  /** Whether events other than batches and tasks are let through. Default false: they are refused. */
  anyEvent?: boolean;
  /** Whether `open` is called even if an earlier `before` has thrown, for `onFailure` and `onEnd`. Default false. */
  always?: boolean;
  /** The advice for a stack that has the middleware twice. Default: remove one. */
  twice?: string;
}

/**
 * Makes a Middy middleware out of a stage: a function that runs around the handler once per record, so that an error fails
 * one record and not the batch. The stage has these guarantees, in every order of `.use`:
 *
 * - a record is acknowledged only if every stage has run around its handler and has settled;
 * - an error it throws fails its record, or the task of a direct invocation;
 * - `next()` that is not awaited is waited for, and an error that is swallowed still fails the record.
 *
 * @throws OptionError when an option is unknown or has a bad value
 * @example
 * export const timed = () =>
 *   stageMiddleware({
 *     name: 'timed',
 *     order: { after: 'log' },
 *     async around(run, next) {
 *       const start = performance.now();
 *       await next();
 *       console.info(`${Math.round(performance.now() - start)} ms`);
 *     },
 *   });
 */
export function stageMiddleware(options: StageOptions): MiddlewareObj {
  const {
    name,
    order = { after: 'hydrate' },
    open,
    passive = false,
    anyEvent = false,
    always = false,
    twice,
  } = checkStage(options);

  return {
    before(request) {
      const state = guardRequest(request);
      const { kind, context, work } = state;
      if (kind === 'other' && !anyEvent) throw new EventError(request.event);
      if (kind !== 'other') assertNotDurable(context);
      if (work.parts.has(options)) throw duplicateStage(name, twice);
      const stage: Stage = { name, order, passive };
      declareStage(state, stage, twice);
      const part = openPart(work, options);
      stage.around = open ? open(openInvocation(state, part))?.around : options.around;
      return isDirect(state) && stage.around ? startDirect(state, stage, part, twice) : undefined;
    },

    async after(request) {
      const state = guardRequest(request);
      const { outcome, work } = state;
      const part = work.parts.get(options);
      if (outcome.phase === 'started') outcome.phase = 'returned';
      await assertBatchDone(state);
      if (isDirect(state)) await endDirect(state, part?.direct);
      if (part) await runEnds(part);
    },

    async onError(request) {
      const state = guardRequest(request);
      const { outcome, work, pipeline } = state;
      outcome.phase = 'failed';
      if (always && open && !work.parts.has(options)) open(openInvocation(state, openPart(work, options)));
      const part = work.parts.get(options);
      if (isDirect(state)) outcome.error = asThrown(await failDirect(state, part?.direct, outcome.error));
      for (const failure of part?.failures ?? []) failure(outcome.error);
      if (part) await runEnds(part);
      clearDeadline(pipeline);
    },
  };
}

/** Adds a stage to a batch, and keeps the pipeline on the context, which another middleware may have replaced. */
function declareStage(state: GuardedRequest, stage: Stage, twice: string | undefined): void {
  const { pipeline, request } = state;
  if (!pipeline) return;
  if (pipelineOf(request.context) !== pipeline) addToContext(state, { own: pipelineProperty(pipeline) });
  addStage(pipeline, stage, twice);
}

function checkStage(options: StageOptions): StageOptions {
  checkOptions('stageMiddleware', options, {
    name: text('a name'),
    order: {
      expected: '{ before }, { after } or { at } with the name of a position, such as { after: "log" }',
      test: isStageOrder,
    },
    around: func,
    open: func,
    passive: flag,
    anyEvent: flag,
    always: flag,
    twice: text('a text'),
  });
  if (!options.name) throw new OptionError('stageMiddleware: name is missing.');
  if ((options.around === undefined) === (options.open === undefined)) {
    throw new OptionError(`stageMiddleware: ${options.name} needs either around or open.`);
  }
  return options;
}
