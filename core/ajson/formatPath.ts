const NAME = /^[A-Za-z_$][\w$]*$/;

/** The keys and indexes as one path: `$.task_kwargs.items[3]["unit price"]`. */
export function formatPath(keys: readonly (string | number)[]): string {
  let path = '$';
  for (const key of keys) {
    if (typeof key === 'number') path += `[${key}]`;
    else path += NAME.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
  }
  return path;
}
