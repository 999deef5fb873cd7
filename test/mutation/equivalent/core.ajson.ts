import type { Equivalents } from '../score.ts';

const INFINITE =
  "if (sign === undefined) return /nan/i.test(digits) ? undefined : digits.startsWith('-') ? '-inf' : 'inf';";
const PARTS = "const [, sign, whole = '', fraction = '', exponent = '0'] = FINITE.exec(digits) ?? [];";
const unusedDefault = 'only a text that is not finite has no such part, and the next line returns then';
const otherName = 'any text that no number has will do';

export const equivalent: Equivalents = {
  'core/ajson/Decimal.ts': [
    [
      PARTS,
      "const [, sign, whole = \"Stryker was here!\", fraction = '', exponent = '0'] = FINITE.exec(digits) ?? [];",
      unusedDefault,
    ],
    [
      PARTS,
      "const [, sign, whole = '', fraction = '', exponent = \"\"] = FINITE.exec(digits) ?? [];",
      "BigInt('') is 0n",
    ],
    [
      PARTS,
      "const [, sign, whole = '', fraction = '', exponent = '0'] = FINITE.exec(digits) ?? [\"Stryker was here\"];",
      'the first item is not read',
    ],
    [
      INFINITE,
      "if (sign === undefined) return /nan/i.test(digits) ? undefined : digits.startsWith('-') ? \"\" : 'inf';",
      otherName,
    ],
    [
      INFINITE,
      "if (sign === undefined) return /nan/i.test(digits) ? undefined : digits.startsWith('-') ? '-inf' : \"\";",
      otherName,
    ],
    ["if (all === '') return '0';", 'if (all === \'\') return "";', otherName],
    [
      'const power = BigInt(exponent) + BigInt(all.length - end - fraction.length);',
      'const power = BigInt(exponent) + BigInt(all.length + end - fraction.length);',
      'end is the same for numbers with the same digits, so that the powers of both move by the same',
    ],
    [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the mutated line
      "return `${sign === '-' ? sign : ''}${all.slice(0, end)}e${power}`;",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the mutated line
      'return `${sign === \'-\' ? sign : "Stryker was here!"}${all.slice(0, end)}e${power}`;',
      'a prefix of all positive numbers',
    ],
  ],
};
