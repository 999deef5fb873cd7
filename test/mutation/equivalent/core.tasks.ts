import type { Equivalents } from '../score.ts';

export const equivalent: Equivalents = {};
