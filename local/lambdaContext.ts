import { randomUUID } from 'node:crypto';
import type { FullLambdaContext } from './lambdaTypes.ts';

/** Makes the context of an invocation that starts now. */
export function createLambdaContext(functionArn: string, timeoutSeconds: number): FullLambdaContext {
  const functionName = functionArn.split(':')[6] ?? '';
  const deadline = performance.now() + timeoutSeconds * 1000;
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: functionArn,
    memoryLimitInMB: '128',
    awsRequestId: randomUUID(),
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: `${day}/[$LATEST]${randomUUID().replaceAll('-', '')}`,
    getRemainingTimeInMillis: () => Math.max(0, Math.round(deadline - performance.now())),
    done: refuse,
    fail: refuse,
    succeed: refuse,
  };
}

// The callback-style functions, which Lambda's Node.js 24 runtime does not support.
function refuse(): never {
  throw new TypeError('Return a promise from the handler: context.done, fail and succeed are not supported.');
}
