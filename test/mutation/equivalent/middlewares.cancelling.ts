import type { Equivalents } from '../score.ts';

export const equivalent: Equivalents = {
  'middlewares/cancelling/cancelledChains.ts': [
    [
      "return typeof reason === 'string' ? reason.slice(0, maxReasonLength) : undefined;",
      'return true ? reason.slice(0, maxReasonLength) : undefined;',
      'a reason without slice() throws, which is no reason too',
    ],
    ['} catch {', '} catch {}', 'a function without a return gives undefined'],
  ],
};
