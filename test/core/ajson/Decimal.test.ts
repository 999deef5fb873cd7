import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { Decimal } from '../../../core/ajson/Decimal.ts';

test('console.log shows the digits', () => {
  expect(inspect({ price: new Decimal('10.50') })).toBe('{ price: Decimal 10.50 }');
});

test('the built class is named Decimal', async () => {
  const { outputFiles } = await build({
    entryPoints: ['core/ajson/Decimal.ts'],
    bundle: true,
    format: 'esm',
    target: 'node22',
    write: false,
  });
  const built = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? '')}`);
  expect(built.Decimal.name).toBe('Decimal');
  expect(new built.Decimal('1.10').equals(new built.Decimal('1.1'))).toBe(true);
  expect(new built.Decimal('1.10').equals('1.1')).toBe(false);
});
