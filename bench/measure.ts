/**
 * Measures one contender on one payload, in a new process, so that no contender inherits the heap and the caches
 * of another: `node bench/measure.ts ajson F` prints the two ratios as JSON, or null.
 */
import { isDeepStrictEqual } from 'node:util';
import { AlgObject, ajson, Decimal } from '../core/ajson/index.ts';
import { type Contender, contenders } from './contenders.ts';
import { pairedRatio, type Ratio } from './pairedRatio.ts';
import { type Payload, payloads } from './payloads.ts';

/** Whether the value that was read equals the value that was written, classes included. */
function same(sent: unknown, back: unknown): boolean {
  if (sent instanceof Decimal) return back instanceof Decimal && String(sent) === String(back);
  if (sent instanceof AlgObject) return back instanceof sent.constructor && sent.equals(back);
  if (Array.isArray(sent)) {
    return (
      Array.isArray(back) && sent.length === back.length && sent.every((item, at) => same(item, back[at]))
    );
  }
  if (typeof sent === 'object' && sent && Object.getPrototypeOf(sent) === Object.prototype) {
    const [own, other] = [Object.entries(sent), new Map(Object.entries(back ?? {}))];
    return own.length === other.size && own.every(([key, item]) => same(item, other.get(key)));
  }
  return isDeepStrictEqual(sent, back);
}

function comesBack({ write, read }: Contender, { value }: Payload): boolean {
  try {
    return same(value, read(write(value)));
  } catch {
    return false;
  }
}

/** The time to write and to read, against native JSON on the text that ajson writes. */
function measure({ write, read }: Contender, { value }: Payload): [Ratio, Ratio] {
  const [wire, text] = [ajson.dumps(value), write(value)];
  const tree: unknown = JSON.parse(wire);
  let sink = 0;
  // Reading a character flattens the string, which must be part of the measured time.
  const dumps = pairedRatio(
    () => {
      sink += JSON.stringify(tree).charCodeAt(9);
    },
    () => {
      sink += write(value).charCodeAt(9);
    },
  );
  const loads = pairedRatio(
    () => {
      sink += JSON.parse(wire) ? 1 : 0;
    },
    () => {
      sink += read(text) ? 1 : 0;
    },
  );
  if (sink === 0) throw new Error('nothing was done');
  return [dumps, loads];
}

const contender = contenders.find(({ name }) => name === process.argv[2]);
const payload = payloads.find(({ name }) => name === process.argv[3]);
if (!contender || !payload) throw new Error('node bench/measure.ts <contender> <payload>');
console.log(JSON.stringify(comesBack(contender, payload) ? measure(contender, payload) : null));
