/** Measures whether the time to store and to read grows with the size of a value and the number of pointers, and no faster. */
import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
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

/** The median of the processor time of `count` calls, in microseconds a call. */
async function microsOf(rounds: number, count: number, work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = -3; round < rounds; round++) {
    const start = process.cpuUsage();
    for (let call = 0; call < count; call++) await work();
    const { user, system } = process.cpuUsage(start);
    if (round >= 0) times.push((user + system) / count);
  }
  return quantile(times, 0.5);
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
const perKilobyte: { store: number[]; read: number[] } = { store: [], read: [] };
for (const [name, size, rounds, count] of sizes) {
  const value = recordsOf(size);
  const client = memoryClient();
  const options = { s3: client.s3, bucket: 'bucket', name: 'x', timestamp: 0 };
  const store = await microsOf(rounds, count, () => storeData(value, options));
  const tag = JSON.parse(
    pointerTag(formatPointer({ bucket: 'bucket', folder: 'cache', name: 'x', timestamp: 0 })),
  );
  const reading = { store: s3Reader({ s3: client.s3 }), isAllowed: () => true, maxBytes: 2 ** 27 };
  const read = await microsOf(rounds, count, () => hydrate<unknown>(tag, '$', reading));
  const kilobytes = client.bytes() / 1000;
  if (size >= 1e5) {
    perKilobyte.store.push(store / kilobytes);
    perKilobyte.read.push(read / kilobytes);
  }
  payloadRows.push([name, (store / kilobytes).toFixed(2), (read / kilobytes).toFixed(2)]);
}

const pointerRows: string[][] = [];
const perPointer: number[] = [];
for (const count of [1, 10, 100, 1000, 10_000]) {
  const client = memoryClient();
  await storeData(recordsOf(1000), { s3: client.s3, bucket: 'bucket', name: 'x', timestamp: 0 });
  // Different pointers, so that each is read.
  const value = Array.from({ length: count }, (_, id) => ({
    id,
    at: JSON.parse(
      pointerTag(formatPointer({ bucket: 'bucket', folder: 'cache', name: `x${id}`, timestamp: 0 })),
    ),
  }));
  const reading = { store: s3Reader({ s3: client.s3 }), isAllowed: () => true, maxBytes: 2 ** 27 };
  const micros = await microsOf(9, Math.ceil(1000 / count), () => hydrate<unknown>(value, '$', reading));
  if (count >= 100) perPointer.push(micros / count);
  pointerRows.push([count.toLocaleString('en'), (micros / count).toFixed(1)]);
}

console.log(
  [
    'The processor time to store a value of records and to read it again, in microseconds for each kilobyte in S3, without the',
    'network. It must not grow with the size.\n',
    table(['value', 'store', 'read'], payloadRows),
    '\nThe processor time to read the pointers of one task, in microseconds for each pointer to 1 kB.\n',
    table(['pointers', 'each'], pointerRows),
    '\nGoals, for at most how much the time may grow from the third row on:\n',
    `- storing, at most ${goal}: ${growth(perKilobyte.store).toFixed(2)}`,
    `- reading, at most ${goal}: ${growth(perKilobyte.read).toFixed(2)}`,
    `- pointers, at most ${goal}: ${growth(perPointer).toFixed(2)}`,
  ].join('\n'),
);
