/**
 * Mutates the vectors and generated values, and reads the results. Each text must give an AjsonError, or a value that
 * can be written and read again.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { AjsonError, createAjson } from '../../core/ajson/index.ts';
import { anyValue, Box } from '../core/ajson/anyValue.ts';
import { portrait } from '../core/ajson/portrait.ts';
import { mutate } from './mutate.ts';

const { emitted, accepted, rejected } = JSON.parse(readFileSync('test/wire/ajson-vectors.json', 'utf8'));
const vectors: string[] = [...emitted, ...accepted, ...rejected].map(({ wire }: { wire: string }) => wire);
const ajson = createAjson({
  unknown: 'keep',
  nan: true,
  classes: [
    { class: Box, module: 'test.boxes', name: 'Box' },
    { class: Box, module: 'shop.models', name: 'Order' },
  ],
});

/** Returns the value, or undefined for an AjsonError. Throws any other error. */
function attempt<T>(read: () => T): { value: T } | undefined {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof AjsonError && error.path?.startsWith('$')) return undefined;
    throw error;
  }
}

function check(text: string): boolean {
  const loaded = attempt(() => ajson.loads(text));
  const raw = attempt(() => ajson.raw(text));
  if (loaded && !raw) throw new Error('loads reads what raw refuses');
  if (raw) {
    const before = ajson.dumps(raw.value, { tags: 'keep' });
    const rebuilt = attempt(() => ajson.rebuildEvent(raw.value));
    if (!rebuilt !== !loaded) throw new Error('rebuildEvent and loads do not agree');
    if (rebuilt && portrait(rebuilt.value) !== portrait(loaded?.value))
      throw new Error('they give different values');
    if (ajson.dumps(raw.value, { tags: 'keep' }) !== before)
      throw new Error('rebuildEvent changed its argument');
  }
  if (!loaded) return false;
  const again = attempt(() => ajson.dumps(loaded.value));
  if (!again) return true;
  if (ajson.dumps(ajson.loads(again.value)) !== again.value)
    throw new Error('the text changes when it is read and written');
  return true;
}

export function fuzzAjson(minutes: number, first: number): void {
  const end = performance.now() + minutes * 60_000;
  let [texts, read, slowest] = [0, 0, 0];
  console.log(`fuzzing for ${minutes} min from seed ${first}`);
  for (let seed = first; performance.now() < end; seed++) {
    const values = fc.sample(anyValue, { numRuns: 20, seed }).map((value) => ajson.dumps(value));
    for (const text of mutate([...vectors, ...values], seed, 2000)) {
      const start = performance.now();
      try {
        if (check(text)) read++;
      } catch (error) {
        console.error(`seed ${seed}: ${JSON.stringify(text)}`);
        throw error;
      }
      texts++;
      slowest = Math.max(slowest, performance.now() - start);
    }
  }
  console.log(
    `${texts} texts, ${read} of them read, ${texts - read} refused; the slowest took ${slowest.toFixed(1)} ms`,
  );
}
