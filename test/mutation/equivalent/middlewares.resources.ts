import type { Equivalents } from '../score.ts';

export const equivalent: Equivalents = {
  'middlewares/resources/batchResources.ts': [
    [
      "const inContainer = resources.get(name)?.scope === 'container';",
      "const inContainer = resources.get(name).scope === 'container';",
      'the view asks only for names that exist',
    ],
  ],
  'middlewares/resources/containerResources.ts': [
    [
      "if (resources.get(askedName)?.scope !== 'container') {",
      "if (resources.get(askedName).scope !== 'container') {",
      'the view asks only for names that exist',
    ],
    [
      'made.promise.catch(() => retire(shared));',
      'made.promise.catch(() => undefined);',
      'each holder retires a resource that is not ready when it ends, and a failure ends its holders',
    ],
    [
      'const ending: Promise<void>[] = [];',
      'const ending: Promise<void>[] = ["Stryker was here"];',
      'Promise.all takes values that are not promises',
    ],
    ['} finally {', '} finally {}', 'making.waitsFor is cleared, which ends every path through this one'],
    ['waitsFor.clear();', ';', 'making.waitsFor is cleared, which ends every path through this one'],
    ['} catch {', '} catch {}', 'undefined is false as well'],
  ],
  'middlewares/resources/inTime.ts': [
    ['if (remaining === undefined) return work;', 'if (false) return work;', 'startTimer takes NaN as never'],
  ],
  'middlewares/resources/makeResources.ts': [
    ['if (ended) return;', 'if (false) return;', 'batches and holders end a resource once'],
    [
      "typeof name === 'string' && resources.has(name);",
      'true && resources.has(name);',
      'the map has no symbols',
    ],
    [
      'return Symbol.asyncDispose in value || Symbol.dispose in value;',
      'return true;',
      'undefined?.call does nothing',
    ],
  ],
  'middlewares/resources/resourceCycle.ts': [
    [
      'if (visited.has(from)) return undefined;',
      'if (false) return undefined;',
      'saves time only: what waits has no cycle yet',
    ],
    ['visited.add(from);', ';', 'saves time only: what waits has no cycle yet'],
    [
      'rest && new ResourceCycleError([asking.name, ...rest.filter((name, index) => name !== rest[index - 1])])',
      'rest && new ResourceCycleError([asking.name, ...rest.filter((name, index) => name !== rest[index + 1])])',
      'of two equal neighbours, either may go',
    ],
  ],
};
