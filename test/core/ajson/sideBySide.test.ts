import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

test('the table in docs/ajson.md is current', () => {
  const table = execFileSync(process.execPath, ['test/core/ajson/sideBySide.ts'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(readFileSync('docs/ajson.md', 'utf8')).toContain(table);
  expect(table.match(/the same +\|$/gm)).toHaveLength(10);
});
