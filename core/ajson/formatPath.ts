const NAME = /^[A-Za-z_$][\w$]*$/;
// JSON.stringify leaves these as they are, though a terminal obeys them or does not show them.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The keys and indexes as one path: `$.task_kwargs.items[3]["unit price"]`. */
export function formatPath(keys: readonly (string | number)[]): string {
  let path = '$';
  for (const key of keys) {
    if (typeof key === 'number') path += `[${key}]`;
    else path += NAME.test(key) ? `.${key}` : `[${quote(key)}]`;
  }
  return path;
}

/** A text in quotes, with every character escaped that would not show. */
export function quote(text: string): string {
  const toEscape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(text).replace(UNSEEN, (char) => char.replace(/./gs, toEscape));
}
