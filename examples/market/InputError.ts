/** Something the person at the keyboard can put right: a wrong option, a file that cannot be read. */
export class InputError extends Error {
  override readonly name = 'InputError';
}
