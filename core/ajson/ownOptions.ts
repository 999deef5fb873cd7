/** The options that the caller gave, and none of what someone gave to all objects. */
export function ownOptions<T extends object>(options: T): T {
  return Object.assign(Object.create(null), options);
}
