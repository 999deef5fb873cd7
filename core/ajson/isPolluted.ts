/** Whether someone gave all objects members that `for in` finds, or that change what `JSON.stringify` writes. */
export function isPolluted(): boolean {
  for (const _ in []) return true;
  return 'toJSON' in [];
}
