const BACKSLASH = 92;
const QUOTE = 34;
const COLON = 58;
const SPACE = 32;

/** Whether a member in the text has an escape in its name. By hand, since a regular expression is five times slower. */
export function hasEscapedName(text: string): boolean {
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', at)) {
    // Past what is escaped, to the next escape or the end of the string.
    at += 2;
    let code = text.charCodeAt(at);
    while (code !== QUOTE && code !== BACKSLASH && at < text.length) code = text.charCodeAt(++at);
    if (code !== QUOTE) continue;
    do code = text.charCodeAt(++at);
    while (code <= SPACE);
    if (code === COLON) return true;
  }
  return false;
}
