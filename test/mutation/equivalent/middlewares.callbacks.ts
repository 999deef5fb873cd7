import type { Equivalents } from '../score.ts';

export const equivalent: Equivalents = {
  'middlewares/callbacks/extraCallbacks.ts': [
    [
      'return onError === undefined ? undefined : checkName(onError);',
      'return false ? undefined : checkName(onError);',
      'checkName returns undefined as it is, since "undefined" is a name',
    ],
    ['} catch {', '} catch {}', 'returns undefined in both cases'],
  ],
};
