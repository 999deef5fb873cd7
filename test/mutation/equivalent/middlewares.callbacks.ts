import type { Equivalents } from '../score.ts';

const INLINE = 'if (inlineUnder > 0 && text !== undefined && Buffer.byteLength(text) <= inlineUnder) {';
const notEmpty = 'no text has 0 bytes: the comparison only saves counting them';
const LEAVE = 'if (waiting.size > 0) setImmediate(() => tasksWaiting >= tasksUnderWay && leaveAll());';
const nothingWaits = 'leaveAll sends nothing where nothing waits';

export const equivalent: Equivalents = {
  'middlewares/callbacks/gatherMessages.ts': [
    [
      'if (waiting.size === 0) stopTimer();',
      'if (true) stopTimer();',
      'messages that still wait get a new timer from add',
    ],
    [LEAVE, 'if (true) setImmediate(() => tasksWaiting >= tasksUnderWay && leaveAll());', nothingWaits],
    [
      LEAVE,
      'if (waiting.size >= 0) setImmediate(() => tasksWaiting >= tasksUnderWay && leaveAll());',
      nothingWaits,
    ],
  ],
  'middlewares/callbacks/storeResult.ts': [
    [
      INLINE,
      'if (inlineUnder >= 0 && text !== undefined && Buffer.byteLength(text) <= inlineUnder) {',
      notEmpty,
    ],
    [INLINE, 'if (true && text !== undefined && Buffer.byteLength(text) <= inlineUnder) {', notEmpty],
  ],
  'middlewares/callbacks/extraCallbacks.ts': [
    [
      'return onError === undefined ? undefined : checkName(onError);',
      'return false ? undefined : checkName(onError);',
      'checkName returns undefined as it is, since "undefined" is a name',
    ],
    ['} catch {', '} catch {}', 'returns undefined in both cases'],
  ],
};
