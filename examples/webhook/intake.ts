import { createHmac, timingSafeEqual } from 'node:crypto';
import { sendTask, TaskArgumentsError } from 'algernon-middy';
import type { Context, LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda';
import { tasks } from './tasks.ts';

/**
 * The function behind the URL that the payment service calls: it verifies, sends one task, and answers. If SNS does not
 * take the task, the function throws, and the service delivers the webhook again.
 */
export async function intake(
  { body = '', isBase64Encoded, headers }: LambdaFunctionURLEvent,
  { invokedFunctionArn }: Pick<Context, 'invokedFunctionArn'>,
): Promise<LambdaFunctionURLResult> {
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  if (!isSigned(bytes, headers['x-signature'])) return { statusCode: 401 };
  try {
    const payment = JSON.parse(bytes.toString());
    const { chainId } = await sendTask(
      { task_name: 'ship', task_kwargs: payment, callback: 'thank' },
      { tasks, functionArn: invokedFunctionArn },
    );
    return { statusCode: 202, body: chainId };
  } catch (error) {
    // It is signed, but not a payment: to deliver it again would not help.
    if (error instanceof TaskArgumentsError) return { statusCode: 422, body: error.message };
    throw error;
  }
}

/** Whether the signature is that of the bytes as they were sent, before anything parses them. */
function isSigned(body: Buffer, signature = ''): boolean {
  const [given, expected] = [signature, sign(body)].map((text) => Buffer.from(text)) as [Buffer, Buffer];
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Signs a webhook, as the payment service does. */
export function sign(body: string | Buffer): string {
  const secret = process.env.WEBHOOK_SECRET;
  if (!secret) throw new Error('WEBHOOK_SECRET is not set');
  return createHmac('sha256', secret).update(body).digest('hex');
}
