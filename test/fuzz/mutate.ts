const SPICE = [
  '{"_alg_class":"',
  '"_alg_module":"shop.models",',
  '"value":',
  '"__proto__":',
  '"constructor":',
  '"length":1000000000',
  '\\u005f',
  '\\u0000',
  '\\',
  '"',
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
  '-',
  '-0',
  '1e400',
  'e',
  '.',
  '9007199254740993',
  '-123456789012345678901234567890',
  'NaN',
  '-Infinity',
  'null',
  'true',
  'set',
  'tuple',
  'frozenset',
  'decimal',
  'datetime',
  'undefined',
  'Map',
  'Uint8Array',
  'Error',
  'URL',
  'Box',
  'UTC',
  ' ',
  '\n',
  '\u0001',
  '\ud800',
];

/** A seeded generator of integers below a bound. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Makes `count` mutants of the texts: cut, extended, duplicated and crossed. */
export function* mutate(texts: readonly string[], seed: number, count: number): Generator<string> {
  const pick = random(seed);
  const any = (list: readonly string[]) => list[pick(list.length)] ?? '';
  for (let made = 0; made < count; made++) {
    let text = any(texts);
    for (let step = pick(5); step >= 0; step--) {
      const [at, length] = [pick(text.length + 1), pick(12)];
      const [before, cut, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)];
      const other = any(texts);
      const from = pick(other.length + 1);
      text =
        [
          before + after,
          before + any(SPICE) + cut + after,
          before + any(SPICE) + after,
          before + cut + cut + after,
          before + other.slice(from, from + pick(80)) + after,
          before + other + after,
          text.replace(/[\w.]+/g, (word) => (pick(6) ? word : any(SPICE))),
          text.replace(/"[^"]*"/g, (string) => (pick(6) ? string : other)),
        ][pick(8)] ?? text;
    }
    yield text;
  }
}
