import type { Context } from 'aws-lambda';

/** A Lambda context. */
export function lambdaContext(over: Partial<Context> = {}): Context {
  return {
    awsRequestId: '8f507cfc-example-4697-b07a-ac58fc914c95',
    callbackWaitsForEmptyEventLoop: true,
    functionName: 'worker',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:worker',
    memoryLimitInMB: '128',
    logGroupName: '/aws/lambda/worker',
    logStreamName: '2026/11/21/[$LATEST]0123456789abcdef',
    getRemainingTimeInMillis: () => 60_000,
    done: () => {},
    fail: () => {},
    succeed: () => {},
    ...over,
  };
}
