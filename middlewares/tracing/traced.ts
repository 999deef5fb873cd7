import { checkOption, func, text } from '../../core/checkOptions.ts';
import { currentScope } from './scope.ts';

/**
 * Gives a function a span in the trace of the task that calls it, by the option `tracing` of `lambdaLogged`. Without
 * tracing, or outside of an invocation, it only calls the function.
 *
 * @param name the name of the span
 * @throws OptionError when the name is empty, or `work` is not a function
 * @example
 * const resize = traced('resize', async (image: Buffer) => sharp(image).resize(200).toBuffer());
 */
export function traced<A extends unknown[], R>(name: string, work: (...args: A) => R): (...args: A) => R {
  checkOption('traced', 'name', name, text('a string that is not empty'));
  checkOption('traced', 'work', work, func);
  return (...args) => {
    const { invocation, task } = currentScope() ?? {};
    const call = () => work(...args);
    return invocation?.tracing ? invocation.tracing.span(name, call, task?.trace) : call();
  };
}
