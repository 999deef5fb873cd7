/** fast-check with a fixed seed, fewer runs and no shrinking, so that a change is judged the same each time, and fast. */
import fc, {
  type IAsyncProperty,
  type IProperty,
  type Parameters,
} from '../../node_modules/fast-check/lib/fast-check.js';

const RUNS = 60;

function fewer<Values>(parameters: Parameters<Values> = {}): Parameters<Values> {
  return { seed: 1, endOnFailure: true, ...parameters, numRuns: Math.min(parameters.numRuns ?? RUNS, RUNS) };
}

export * from '../../node_modules/fast-check/lib/fast-check.js';
export default {
  ...fc,
  assert: (property: IAsyncProperty<never> | IProperty<never>, parameters?: Parameters<never>) =>
    fc.assert(property as IAsyncProperty<never>, fewer(parameters)),
};
