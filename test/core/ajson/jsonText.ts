import fc from 'fast-check';

const space = fc.stringMatching(/^[ \n\t]?$/);

const number = fc.oneof(
  fc.constantFrom(
    '0',
    '-0.0',
    '1e300',
    '-1E+22',
    '9007199254740991',
    '9007199254740992.0',
    '9007199254740993e0',
  ),
  fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n }).map(String),
  fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map(String),
);

// Keys that are reordered, duplicated or escaped, and strings that look like numbers and members.
const string = fc.constantFrom(
  ...['"a"', '"b"', '"1"', '"2"', '"\\u0031"', '"1\\u0032"', '"\\\\"', '"__proto__"', '"\\"a\\":"'],
  ...['"[9007199254740993,"', '": 9007199254740993"', '"9007199254740993"', '",1e300,"', '"a\\" :1"'],
);

/** JSON in any spelling: duplicate or reordered keys, large numbers, and strings that look like either. */
export const jsonText: fc.Arbitrary<string> = fc.letrec<{ text: string }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    number,
    string,
    fc
      .tuple(space, fc.array(tie('text'), { maxLength: 4 }))
      .map(([gap, items]) => `[${gap}${items.join(`,${gap}`)}${gap}]`),
    fc
      .tuple(space, fc.array(fc.tuple(string, tie('text')), { maxLength: 4 }))
      .map(
        ([gap, members]) =>
          `{${gap}${members.map(([key, value]) => `${key}${gap}:${gap}${value}`).join(`${gap},`)}}`,
      ),
  ),
})).text;
