import { AlgernonError } from '../../core/errors.ts';

/**
 * A message could not be published. `code` is `PUBLISH_FAILED` when SNS did not accept it. It is `MESSAGE_TOO_LARGE`
 * or `BAD_ATTRIBUTES` when the message was not sent at all.
 */
export class PublishError extends AlgernonError {
  override readonly name = 'PublishError';
}
