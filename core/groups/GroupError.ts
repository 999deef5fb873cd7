import { AlgernonError, type ErrorDetails } from '../errors.ts';

/**
 * A branch could not join its group. `code` is the reason:
 *
 * - `GROUP_NOT_FOUND`: the bucket has no plan for the ticket;
 * - `GROUP_EXPIRED`: a lifecycle rule may have removed parts of the group;
 * - `BAD_TICKET`: the ticket does not match the plan, or it asks for what the plan does not have;
 * - `GROUP_UNREADABLE`: an object of the group exists and cannot be read (retryable);
 * - `GROUP_CORRUPT`: an object of the group has an unexpected content.
 */
export class GroupError extends AlgernonError {
  override readonly name = 'GroupError';

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(code, message, { path: '$.callback', ...details });
  }
}
