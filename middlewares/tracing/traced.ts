import { currentScope } from './scope.ts';

/**
 * Gives a function a span in the trace of the task that calls it, with the tracing that `lambdaLogged` was given. Without
 * tracing, and outside of an invocation, the function runs as it is.
 *
 * @param name the name of the span
 * @example
 * const resize = traced('resize', async (image: Buffer) => sharp(image).resize(200).toBuffer());
 */
export function traced<A extends unknown[], R>(name: string, work: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    const { invocation, task } = currentScope() ?? {};
    const call = () => work(...args);
    return invocation?.tracing ? invocation.tracing.span(name, call, task?.trace) : call();
  };
}
