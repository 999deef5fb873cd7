/** Runs one part of the benchmarks: `npm run bench -- ajson [payloads]`. */
const parts: Readonly<Record<string, () => Promise<unknown>>> = {
  ajson: () => import('./ajson.ts'),
};

const part = parts[process.argv[2] ?? ''];
if (part) await part();
else {
  console.error(`which of: ${Object.keys(parts).join(', ')}`);
  process.exitCode = 1;
}
