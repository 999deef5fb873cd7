/**
 * `npm run fuzz -- [ajson | stacks] [minutes] [seed]`. Default: ajson, 2 minutes. A seed repeats a run.
 */
import { fuzzAjson } from './fuzzAjson.ts';
import { fuzzStacks } from './fuzzStacks.ts';

const args = process.argv.slice(2);
const target = ['ajson', 'stacks'].includes(args[0] ?? '') ? args.shift() : 'ajson';
const minutes = Number(args[0] ?? 2);
const seed = Number(args[1] ?? Date.now() % 2 ** 31);
if (target === 'stacks') await fuzzStacks(minutes, seed);
else fuzzAjson(minutes, seed);
