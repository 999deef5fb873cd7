/** Whether an object is one that `{}` or `JSON.parse` could have made, here or in another realm. */
export function isPlain(value: object): boolean {
  const proto: object | null = Object.getPrototypeOf(value);
  if (proto === Object.prototype || proto === null) return true;
  return Object.getPrototypeOf(proto) === null && Object.hasOwn(proto, 'hasOwnProperty');
}
