import { crc32, deflateSync, inflateSync } from 'node:zlib';

/** Pixels of three bytes: red, green, blue. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const channels = 3;
/** Of the header: 8 bits a channel, RGB, deflate, adaptive filters, not interlaced. */
const format = [8, 2, 0, 0, 0] as const;

/** Writes a PNG. Each byte is stored as its difference from the pixel to the left, which compresses better. */
export function encodePng({ width, height, pixels }: Image): Buffer {
  const stride = width * channels;
  const lines = Buffer.alloc(height * (stride + 1));
  for (let y = 0; y < height; y += 1) {
    const line = y * (stride + 1);
    lines[line] = 1;
    for (let x = 0; x < stride; x += 1) {
      const left = x < channels ? 0 : (pixels[y * stride + x - channels] ?? 0);
      lines[line + 1 + x] = (pixels[y * stride + x] ?? 0) - left;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set(format, 8);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Reads a PNG of 8-bit RGB pixels. A production worker would use a library that reads every format. */
export function decodePng(bytes: Uint8Array): Image {
  const png = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!png.subarray(0, 8).equals(signature)) throw new Error('not a PNG');
  const header = Buffer.concat([...chunks(png, 'IHDR')]);
  if (!header.subarray(8).equals(Buffer.from(format))) throw new Error('not a PNG of 8-bit RGB pixels');
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const stride = width * channels;
  const lines = inflateSync(Buffer.concat([...chunks(png, 'IDAT')]));
  const pixels = new Uint8Array(height * stride);
  for (let y = 0; y < height; y += 1) {
    const line = y * (stride + 1);
    const unfilter = filters[lines[line] ?? 0];
    if (!unfilter) throw new Error('not a PNG: unknown filter');
    for (let x = 0; x < stride; x += 1) {
      const at = y * stride + x;
      const left = x < channels ? 0 : (pixels[at - channels] ?? 0);
      const up = pixels[at - stride] ?? 0;
      const upLeft = x < channels ? 0 : (pixels[at - stride - channels] ?? 0);
      pixels[at] = (lines[line + 1 + x] ?? 0) + unfilter(left, up, upLeft);
    }
  }
  return { width, height, pixels };
}

/** Scales an image down to a width: each new pixel is the average of those it covers. */
export function shrink(image: Image, width: number): Image {
  const scale = image.width / width;
  const height = Math.max(1, Math.round(image.height / scale));
  const pixels = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const box = [x, x + 1, y, y + 1].map((edge) => Math.floor(edge * scale)) as Box;
      pixels.set(average(image, box), (y * width + x) * channels);
    }
  }
  return { width, height, pixels };
}

type Box = [left: number, right: number, top: number, bottom: number];

function average({ width, height, pixels }: Image, [left, right, top, bottom]: Box): number[] {
  const sums = [0, 0, 0];
  let count = 0;
  for (let y = top; y < Math.min(height, Math.max(bottom, top + 1)); y += 1) {
    for (let x = left; x < Math.min(width, Math.max(right, left + 1)); x += 1) {
      for (let c = 0; c < channels; c += 1)
        sums[c] = (sums[c] ?? 0) + (pixels[(y * width + x) * channels + c] ?? 0);
      count += 1;
    }
  }
  return sums.map((sum) => sum / Math.max(1, count));
}

type Filter = (left: number, up: number, upLeft: number) => number;

/** The filters of the PNG specification, by number. */
const filters: readonly Filter[] = [
  () => 0,
  (left) => left,
  (_, up) => up,
  (left, up) => (left + up) >> 1,
  (left, up, upLeft) => {
    const estimate = left + up - upLeft;
    const toLeft = Math.abs(estimate - left);
    const toUp = Math.abs(estimate - up);
    const toUpLeft = Math.abs(estimate - upLeft);
    if (toLeft <= toUp && toLeft <= toUpLeft) return left;
    return toUp <= toUpLeft ? up : upLeft;
  },
];

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

function* chunks(png: Buffer, type: string): Generator<Buffer> {
  for (let at = 8; at + 8 <= png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === type) yield png.subarray(at + 8, at + 8 + length);
    at += length + 12;
  }
}
