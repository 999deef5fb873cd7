/** Measures hydrating one pointer against the minimum: get the bytes, decode them, JSON.parse. */
import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { hydrate } from '../core/storedData/hydrate.ts';
import { pointerTag } from '../core/storedData/StoredData.ts';
import { s3ObjectStore } from '../middlewares/aws/s3ObjectStore.ts';
import { type PairedTime, pairedRounds } from './pairedRounds.ts';
import { table } from './table.ts';

const pieceBytes = 64 * 1024;
const goal = 1.3;

function bytesOf(records: number, letter: string): Buffer {
  const data_string = Array.from({ length: records }, (_, id) => ({
    id,
    name: `${letter}tem ${id}`,
    price: id * 1.25,
    tags: ['a', 'b'],
    at: '2024-01-01T00:00:00Z',
  }));
  return Buffer.from(JSON.stringify({ data_string, full_unpack: true, safe_mode: false }));
}

function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

const sizes: [name: string, bytes: Buffer, rounds: number, count: number][] = [
  ['30 kB', bytesOf(330, 'i'), 60, 40],
  ['1 MB', bytesOf(11_000, 'i'), 40, 2],
  ['1 MB, not ASCII', bytesOf(11_000, 'ï'), 40, 2],
  ['60 MB', bytesOf(620_000, 'i'), 9, 1],
];
const rows: string[][] = [];
let most = 0;
for (const [name, bytes, rounds, count] of sizes) {
  const send = async () => ({ ContentLength: bytes.length, Body: Readable.from(piecesOf(bytes)) });
  const store = s3ObjectStore({ s3: { send } as unknown as S3Client });
  const options = { store, isAllowed: () => true, maxBytes: 2 ** 27 };
  const [raw, ours] = (await pairedRounds(
    [
      {
        name: 'get and JSON.parse',
        make: () => undefined,
        async run() {
          const { Body } = await send();
          const pieces: Buffer[] = [];
          for await (const piece of Body) pieces.push(piece);
          return JSON.parse(Buffer.concat(pieces).toString());
        },
      },
      {
        name: 'hydrate',
        make: () => JSON.parse(pointerTag('bucket#cache/x!1.5.json')),
        run: (tag) => hydrate<unknown>(tag, '$', options),
      },
    ],
    { rounds, count },
  )) as [PairedTime, PairedTime];
  most = Math.max(most, ours.ratio);
  const [low, high] = ours.quartiles;
  const ratio = `${ours.ratio.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
  rows.push([name, (raw.micros / 1000).toFixed(2), (ours.micros / 1000).toFixed(2), ratio]);
}

console.log(
  [
    'The processor time to replace one pointer by its value, in milliseconds, without the network: getting the bytes and',
    'JSON.parse alone, and hydrating. Median of paired rounds, and the middle half of them.\n',
    table(['stored value', 'get + JSON.parse', 'hydrate', 'in proportion'], rows),
    '\nGoals:\n',
    `- at most ${goal} times get and JSON.parse, from 30 kB to 60 MB: ${most.toFixed(2)} at most`,
  ].join('\n'),
);
