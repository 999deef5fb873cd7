const monthSteps = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200];
const monthNames = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const maxTicks = 12;

/** Round prices for an axis from `low` to `high`: 1, 2, 5, 10, … over a wide range, even steps in a narrow one. */
export function priceTicks([low, high]: [number, number]): number[] {
  if (high / low > 8) {
    const ticks: number[] = [];
    for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power += 1)
      ticks.push(...[1, 2, 5].map((digit) => Number(`${digit}e${power}`)));
    const shown = ticks.length > 2 * maxTicks ? ticks.filter((_, i) => i % 3 === 0) : ticks;
    return shown.filter((tick) => tick >= low && tick <= high);
  }
  if (high === low) return [low];
  const power = Math.floor(Math.log10((high - low) / 2));
  const step = [5, 2, 1].map((digit) => Number(`${digit}e${power}`)).find((size) => (high - low) / size >= 3);
  const size = step ?? 10 ** power;
  const first = Math.ceil(low / size);
  return Array.from({ length: Math.floor(high / size) - first + 1 }, (_, i) =>
    Number(((first + i) * size).toPrecision(12)),
  );
}

/** The starts of years or months, at most twelve. Without any, both ends of the range. */
export function timeTicks([from, to]: [number, number]): { time: number; label: string }[] {
  const [start, end] = [new Date(from), new Date(to)];
  const firstMonth = start.getUTCFullYear() * 12 + start.getUTCMonth();
  const lastMonth = end.getUTCFullYear() * 12 + end.getUTCMonth();
  const step = monthSteps.find((months) => (lastMonth - firstMonth) / months <= maxTicks) ?? 12_000;
  const ticks: { time: number; label: string }[] = [];
  for (let month = Math.ceil(firstMonth / step) * step; month <= lastMonth; month += step) {
    const time = Date.UTC(Math.floor(month / 12), month % 12, 1);
    const year = `${Math.floor(month / 12)}`;
    const label = step >= 12 ? year : `${monthNames[month % 12]} ${year}`;
    if (time >= from) ticks.push({ time, label });
  }
  if (ticks.length > 1) return ticks;
  return [...new Set([from, to])].map((time) => ({ time, label: new Date(time).toISOString().slice(0, 10) }));
}
