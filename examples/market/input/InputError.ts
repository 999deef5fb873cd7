/** An error that the user can fix: a wrong option, or a file that cannot be read. */
export class InputError extends Error {
  override readonly name = 'InputError';
}
