/** Measures whether the time to store and to read grows with the size of a value and the number of pointers, and no faster. */
import { Readable } from 'node:stream';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { hydrate } from '../core/storedData/hydrate.ts';
import { formatPointer } from '../core/storedData/pointer.ts';
import { pointerTag } from '../core/storedData/StoredData.ts';
import { s3Reader } from '../middlewares/aws/s3Reader.ts';
import { storeData } from '../middlewares/storeData.ts';
import { quantile } from './pairedRounds.ts';
import { table } from './table.ts';

const goal = 1.5;
const partBytes = 64 * 1024;

/** A client that keeps one object and answers at once. */
function memoryClient() {
  let body: Buffer = Buffer.alloc(0);
  const parts: Buffer[] = [];
  const send = async (command: { input: { Body?: string | Buffer; PartNumber?: number } }) => {
    const { input } = command;
    const { name } = command.constructor;
    if (name === 'PutObjectCommand') body = Buffer.from(input.Body ?? '');
    // The memory of a part is used again.
    if (name === 'UploadPartCommand') parts[(input.PartNumber ?? 1) - 1] = Buffer.from(input.Body ?? '');
    if (name === 'CompleteMultipartUploadCommand') body = Buffer.concat(parts.splice(0));
    if (name !== 'GetObjectCommand') return { UploadId: 'u', ETag: 'e' };
    const pieces = function* () {
      for (let at = 0; at < body.length; at += partBytes) yield body.subarray(at, at + partBytes);
    };
    return { ContentLength: body.length, Body: Readable.from(pieces()) };
  };
  return { s3: { send } as unknown as S3Client, bytes: () => body.length };
}

/** The medians of the processor time of `count` calls of each function, in microseconds a call. They take turns. */
async function microsOf(
  rounds: number,
  count: number,
  ...works: readonly (() => Promise<unknown>)[]
): Promise<number[]> {
  const times: number[][] = works.map(() => []);
  for (let round = -5; round < rounds; round++) {
    for (const [index, work] of works.entries()) {
      const start = process.cpuUsage();
      for (let call = 0; call < count; call++) await work();
      const { user, system } = process.cpuUsage(start);
      if (round >= 0) times[index]?.push((user + system) / count);
    }
  }
  return times.map((list) => quantile(list, 0.5));
}

/** The least that storing and reading can be: native JSON and one call. */
function nativeOf(s3: S3Client) {
  const address = { Bucket: 'bucket', Key: 'x' };
  return {
    store: (value: unknown) => s3.send(new PutObjectCommand({ ...address, Body: JSON.stringify(value) })),
    read: () => readNative(s3, address),
  };
}

async function readNative(s3: S3Client, address: { Bucket: string; Key: string }): Promise<unknown> {
  const { Body } = await s3.send(new GetObjectCommand(address));
  const pieces: Buffer[] = [];
  for await (const piece of Body as unknown as AsyncIterable<Buffer>) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString());
}

const recordsOf = (bytes: number) =>
  Array.from({ length: Math.max(1, Math.round(bytes / 93)) }, (_, id) => ({
    id,
    name: `item ${id}`,
    price: id * 1.25,
    tags: ['a', 'b'],
    at: '2024-01-01T00:00:00Z',
  }));

/** The largest value among the rows, in proportion to the one that is the measure. */
const growth = (values: readonly number[]) => Math.max(...values) / (values[0] ?? Number.NaN);

const sizes: [name: string, bytes: number, rounds: number, count: number][] = [
  ['1 kB', 1e3, 15, 500],
  ['10 kB', 1e4, 15, 100],
  ['100 kB', 1e5, 15, 20],
  ['1 MB', 1e6, 15, 2],
  ['10 MB', 1e7, 7, 1],
  ['58 MB', 5.8e7, 5, 1],
];
const payloadRows: string[][] = [];
const perKilobyte = {
  nativeStore: [] as number[],
  store: [] as number[],
  storeRatio: [] as number[],
  nativeRead: [] as number[],
  read: [] as number[],
  readRatio: [] as number[],
};
for (const [name, size, rounds, count] of sizes) {
  const value = recordsOf(size);
  const client = memoryClient();
  const native = nativeOf(memoryClient().s3);
  const options = { s3: client.s3, bucket: 'bucket', name: 'x', timestamp: 0 };
  const tag = JSON.parse(
    pointerTag(formatPointer({ bucket: 'bucket', folder: 'cache', name: 'x', timestamp: 0 })),
  );
  const reading = { store: s3Reader({ s3: client.s3 }), isAllowed: () => true, maxBytes: 2 ** 27 };
  const micros = [
    ...(await microsOf(
      rounds,
      count,
      () => native.store(value),
      () => storeData(value, options),
    )),
    ...(await microsOf(rounds, count, native.read, () => hydrate<unknown>(tag, '$', reading))),
  ];
  const kilobytes = client.bytes() / 1000;
  const [nativeStore = 0, store = 0, nativeRead = 0, read = 0] = micros.map((time) => time / kilobytes);
  const all = {
    nativeStore,
    store,
    nativeRead,
    read,
    storeRatio: store / nativeStore,
    readRatio: read / nativeRead,
  };
  if (size >= 1e5)
    for (const key of Object.keys(all) as (keyof typeof all)[]) perKilobyte[key].push(all[key]);
  payloadRows.push([
    name,
    ...[nativeStore, store, all.storeRatio, nativeRead, read, all.readRatio].map((each) => each.toFixed(2)),
  ]);
}

/** The same gets in a loop by hand, as many at a time as hydrating does. Their values are kept, as hydrating keeps them. */
async function readAll(s3: S3Client, keys: readonly string[]): Promise<unknown[]> {
  const values: unknown[] = [];
  let next = 0;
  const lane = async () => {
    while (next < keys.length) {
      const index = next++;
      values[index] = await readNative(s3, { Bucket: 'bucket', Key: keys[index] as string });
    }
  };
  await Promise.all(Array.from({ length: Math.min(16, keys.length) }, lane));
  return values;
}

const pointerRows: string[][] = [];
const perPointer = { native: [] as number[], read: [] as number[], ratio: [] as number[] };
for (const count of [1, 10, 100, 1000, 10_000]) {
  const client = memoryClient();
  await storeData(recordsOf(1000), { s3: client.s3, bucket: 'bucket', name: 'x', timestamp: 0 });
  // Different pointers, so that each is read.
  const pointers = Array.from({ length: count }, (_, id) =>
    formatPointer({ bucket: 'bucket', folder: 'cache', name: `x${id}`, timestamp: 0 }),
  );
  const value = pointers.map((pointer, id) => ({ id, at: JSON.parse(pointerTag(pointer)) }));
  const reading = { store: s3Reader({ s3: client.s3 }), isAllowed: () => true, maxBytes: 2 ** 27 };
  const micros = await microsOf(
    15,
    Math.ceil(2000 / count),
    () => readAll(client.s3, pointers),
    () => hydrate<unknown>(value, '$', reading),
  );
  const [native = 0, read = 0] = micros.map((time) => time / count);
  if (count >= 100) {
    perPointer.native.push(native);
    perPointer.read.push(read);
    perPointer.ratio.push(read / native);
  }
  pointerRows.push([
    count.toLocaleString('en'),
    native.toFixed(1),
    read.toFixed(1),
    (read / native).toFixed(2),
  ]);
}

console.log(
  [
    'The processor time to store a value of records and to read it again, in microseconds for each kilobyte in S3, without the',
    'network. Native is JSON.stringify and one put, and one get and JSON.parse, in the same rounds. Native takes longer for',
    'each kilobyte of a large value too, since the garbage collector copies what outlives the young generation: a growth that',
    'native shares is not ours to remove.\n',
    table(['value', 'native', 'store', 'in proportion', 'native', 'read', 'in proportion'], payloadRows),
    '\nThe processor time to read the pointers of one task, in microseconds for each pointer to 1 kB; native is the same gets and',
    'JSON.parse, 16 at a time. With thousands the values outlive the young generation, and V8 copies them.\n',
    table(['pointers', 'native', 'hydrate', 'in proportion'], pointerRows),
    '\nGoals, for at most how much the time may grow from the third row on:\n',
    `- storing, at most ${goal}: ${growth(perKilobyte.store).toFixed(2)}; native grows by ${growth(perKilobyte.nativeStore).toFixed(2)}`,
    `- reading, at most ${goal}: ${growth(perKilobyte.read).toFixed(2)}; native grows by ${growth(perKilobyte.nativeRead).toFixed(2)}`,
    `- storing in proportion to native, at most ${goal}: ${growth(perKilobyte.storeRatio).toFixed(2)}`,
    `- reading in proportion to native, at most ${goal}: ${growth(perKilobyte.readRatio).toFixed(2)}`,
    `- pointers, at most ${goal}: ${growth(perPointer.read).toFixed(2)}; native grows by ${growth(perPointer.native).toFixed(2)}`,
    `- pointers in proportion to native, at most ${goal}: ${growth(perPointer.ratio).toFixed(2)}`,
  ].join('\n'),
);
