/** Whether a value is a list that `[]` or `JSON.parse` could have made, here or in another realm. */
export function isPlainList(value: unknown): value is unknown[] {
  if (!Array.isArray(value)) return false;
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === Array.prototype || Array.isArray(proto);
}
