import { SNSClient } from '@aws-sdk/client-sns';

let shared: SNSClient | undefined;

/** The client that was given, or one that is made at the first need and shared by all that give none. */
export function snsClient(given: SNSClient | undefined): SNSClient {
  if (given) return given;
  shared ??= new SNSClient();
  return shared;
}
