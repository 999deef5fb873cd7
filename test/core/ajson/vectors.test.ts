import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { checkVectors, type Vectors } from './checkVectors.ts';

const vectors: Vectors = JSON.parse(readFileSync('test/wire/ajson-vectors.json', 'utf8'));

test("Python's vectors are read and written as Python does", () => {
  expect(vectors.emitted.length + vectors.accepted.length + vectors.rejected.length).toBeGreaterThan(50);
  expect(checkVectors(vectors)).toEqual([]);
});
