/** Characters that reverse the text after them. */
const reversing = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * Escapes the control characters of a text, and those that reverse it, since a message may come from anyone and a terminal
 * would execute them.
 *
 * @param options `lines`: whether line feeds and tabs stay as they are. Default false
 */
export function escapeControls(text: string, { lines = false }: { lines?: boolean } = {}): string {
  const controls = lines ? /[^\P{Cc}\n\t]/gu : /\p{Cc}/gu;
  return escapeReversing(text.replace(controls, escaped));
}

/** Escapes only the characters that reverse text, in a text that has colours. */
export function escapeReversing(text: string): string {
  return text.replace(reversing, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
