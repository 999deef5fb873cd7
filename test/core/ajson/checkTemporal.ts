import { createAjson, Datetime } from '../../../core/ajson/index.ts';

/** The members of `Temporal.Instant` used here; not every engine has it yet. */
interface Instant {
  readonly epochMilliseconds: number;
  readonly epochNanoseconds: bigint;
  equals(other: Instant): boolean;
}
interface InstantClass {
  new (epochNanoseconds: bigint): Instant;
  from(text: string): Instant;
}

/** Failures with `Temporal.Instant` as the class of datetimes; empty if the engine lacks it. */
export function checkTemporal(): string[] {
  const { Temporal } = globalThis as { Temporal?: { Instant: InstantClass } };
  if (!Temporal) return [];
  const { Instant } = Temporal;
  const ajson = createAjson({
    datetime: {
      is: (value) => value instanceof Instant,
      toJson: ({ epochMilliseconds, epochNanoseconds }: Instant) => {
        const micros = Number((epochNanoseconds / 1000n) % 1000n);
        return new Datetime(epochMilliseconds, micros);
      },
      parseJson: (datetime) =>
        new Instant(BigInt(datetime.getTime()) * 1_000_000n + BigInt(datetime.microseconds) * 1000n),
    },
  });
  const instant = Instant.from('2020-01-02T03:04:05.123456Z');
  const text = ajson.dumps([instant]);
  const [back] = ajson.loads<[Instant]>(text);
  return back instanceof Instant && back.equals(instant) ? [] : [`Temporal.Instant: ${text}`];
}
