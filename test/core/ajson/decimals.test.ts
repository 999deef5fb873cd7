import { describe, expect, test } from '@jest/globals';
import { Decimal, FrozenSet } from '../../../core/ajson/index.ts';
import { KIND } from '../../../core/ajson/recognise.ts';

describe('a Decimal', () => {
  test.each([
    '0',
    '-0',
    '+1',
    '1.',
    '.5',
    '-.5',
    '1e5',
    '1E+5',
    '1.5e-07',
    '007',
    'NaN',
    'nan12',
    '-sNaN',
    'inf',
    '+Infinity',
    'INF',
    `1e${'9'.repeat(18)}`,
  ])('takes %s', (digits) => {
    expect(new Decimal(digits).digits).toBe(digits);
  });

  test.each([
    '',
    '.',
    '-',
    'e5',
    '.e5',
    '1e',
    '1e+',
    '1.2.3',
    '1_000',
    ' 1',
    '1 ',
    '1\n',
    'x1',
    '1x',
    '0x1',
    'xnan',
    'nanx',
    'nan1x',
    'ssnan',
    'infinit',
    'infinityy',
    'xinf',
    `1e${'9'.repeat(19)}`,
  ])('refuses %j', (digits) => {
    expect(() => new Decimal(digits)).toThrow(
      expect.objectContaining({
        name: 'AjsonError',
        kind: 'tag',
        message: expect.stringContaining('is not a decimal'),
      }),
    );
  });

  test('takes numbers and bigints as they are written', () => {
    expect([new Decimal(1.5), new Decimal(10n)].map(String)).toEqual(['1.5', '10']);
  });

  test('shows 40 characters of a wrong text', () => {
    expect(() => new Decimal('x'.repeat(41))).toThrow(`"${'x'.repeat(40)}" is`);
  });

  test.each([
    ['1.10', '1.1'],
    ['+1', '1'],
    ['100', '1e2'],
    ['0.01', '1E-2'],
    ['-0', '0.000'],
    ['.5', '0.50'],
    ['-10', '-1e1'],
    ['1e-2', '0.01'],
    ['Infinity', 'inf'],
    ['-inf', '-Infinity'],
    ['0012', '12.0'],
  ])('%s equals %s', (a, b) => {
    expect(new Decimal(a).equals(new Decimal(b))).toBe(true);
    expect(new Decimal(b).equals(new Decimal(a))).toBe(true);
  });

  test.each([
    ['1', '10'],
    ['1', '-1'],
    ['1', '0.1'],
    ['12', '1.2'],
    ['inf', '-inf'],
    ['inf', '0'],
    ['-inf', '0'],
    ['nan', 'nan'],
    ['snan', 'inf'],
    ['0', 'nan'],
    ['1e3', '1e4'],
  ])('%s does not equal %s', (a, b) => {
    expect(new Decimal(a).equals(new Decimal(b))).toBe(false);
  });

  test('equals no value of another kind, whatever its text is', () => {
    const digits = () => '1';
    const branded = Object.assign(() => '1', { [KIND]: 'decimal', toString: digits });
    const other = Object.assign(new FrozenSet(['1']), { toString: digits });
    for (const value of [null, undefined, '1', 1, 1n, { toString: digits }, branded, other]) {
      expect(new Decimal('1').equals(value)).toBe(false);
    }
  });

  test('is a text where the engine cannot tell that it is sorted', () => {
    const { captureStackTrace } = Error;
    Error.captureStackTrace = undefined as never;
    try {
      expect(`${new Decimal('1.10')}`).toBe('1.10');
    } finally {
      Error.captureStackTrace = captureStackTrace;
    }
  });

  test('leaves the limit of stack traces as it was', () => {
    const { stackTraceLimit } = Error;
    expect(`${new Decimal('1')}`).toBe('1');
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
    for (const sort of ['sort', 'toSorted'] as const) {
      expect(() => [new Decimal('9'), new Decimal('10')][sort]()).toThrow(TypeError);
    }
  });
});
