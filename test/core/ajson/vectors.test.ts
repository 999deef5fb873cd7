import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { checkVectors, type Vectors } from './checkVectors.ts';

const vectors: Vectors = JSON.parse(readFileSync('test/wire/ajson-vectors.json', 'utf8'));

test('what Python writes and reads is read the same, and written again the same', () => {
  expect(vectors.emitted.length + vectors.accepted.length + vectors.rejected.length).toBeGreaterThan(50);
  expect(checkVectors(vectors)).toEqual([]);
});
