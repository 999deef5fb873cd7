/**
 * Measures the page of the dev server in Chromium, with thousands of chains and more to come: `npm run build && npm run
 * bench -- devPage [2000]`. It prints how long an event takes to the screen, and a click to the next frame.
 */
import type { Page } from 'playwright-core';
import { runEntries, taskEvents } from '../test/local/dev/pageScript.ts';
import { servePage } from '../test/local/dev/servePage.ts';
import { launchBrowser } from '../test/support/launchBrowser.ts';

const count = Number(process.argv[3] ?? 2000);
const rounds = 60;
const start = Date.now() - 3_600_000;

/** A chain of four tasks, of which one is tried twice: 20 events. */
function chainOf(id: string, at: number) {
  const next = (messageId: string, taskName: string) => ({ messageId, taskName, role: 'callback' }) as const;
  return [
    ...taskEvents(id, `${id}-1`, 'listAlbum')
      .send(at)
      .receive(at + 10)
      .publish(at + 90, [next(`${id}-2`, 'resize')])
      .succeed(at + 100, 80).events,
    ...taskEvents(id, `${id}-2`, 'resize')
      .receive(at + 120)
      .fail(at + 200, `The image service answered ${at}`, 70, 1)
      .receive(at + 1300)
      .publish(at + 1390, [next(`${id}-3`, 'describe')])
      .succeed(at + 1400, 80).events,
    ...taskEvents(id, `${id}-3`, 'describe')
      .receive(at + 1420)
      .publish(at + 1490, [next(`${id}-4`, 'notify')])
      .succeed(at + 1500, 70).events,
    ...taskEvents(id, `${id}-4`, 'notify')
      .receive(at + 1520)
      .succeed(at + 1600, 70).events,
  ];
}

function percentile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return `${Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN)} ms`;
}

function report(name: string, values: readonly number[]): void {
  console.log(
    `${name}: p50 ${percentile(values, 0.5)}, p95 ${percentile(values, 0.95)}, max ${percentile(values, 1)}, n ${values.length}`,
  );
}

/** Returns a function that gives the time of the processor that the page has taken since. */
async function cpuTimer(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const read = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN;
  };
  const start = await read();
  return async () => (await read()) - start;
}

/** The time from a click to the frame after it, as the browser measures it. It rounds to 8 ms. */
async function clickTimes(page: Page, clicks: () => Promise<void>): Promise<number[]> {
  await page.evaluate(`globalThis.clicks = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (entry.name === 'click') clicks.push(entry.duration);
    }).observe({ type: 'event', durationThreshold: 16 });`);
  const cpuSeconds = await cpuTimer(page);
  await clicks();
  const times = (await page.evaluate('clicks')) as number[];
  console.log(
    `${times.length} clicks and the updates meanwhile: ${(await cpuSeconds()).toFixed(2)} s of the processor`,
  );
  return times;
}

const backlog = Array.from({ length: count }, (_, index) => chainOf(`chain-${index}`, start + index * 1000));
const server = await servePage({ entries: [...runEntries, ...backlog.flat()] });
const browser = await launchBrowser();
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
try {
  const opened = Date.now();
  await page.goto(server.url);
  await page.getByRole('button', { name: `All ${count.toLocaleString('en')}` }).waitFor();
  console.log(
    `${count} chains, ${backlog.flat().length} events: on screen ${Date.now() - opened} ms after the start`,
  );

  // Other chains go on meanwhile: 50 events in each 100 ms.
  let busy = 0;
  const timer = setInterval(() => {
    busy++;
    server.send(
      chainOf(`busy-${busy}-a`, Date.now())
        .concat(chainOf(`busy-${busy}-b`, Date.now()))
        .slice(0, 50),
    );
  }, 100);

  await page.evaluate(`globalThis.seen = {};
    const look = () => {
      for (const { textContent: id } of document.querySelectorAll('.id')) seen[id] ??= Date.now();
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);`);
  const cpuSeconds = await cpuTimer(page);
  const sent: Record<string, number> = {};
  for (let round = 0; round < rounds; round++) {
    sent[`live-${round}`] = Date.now();
    server.send(
      taskEvents(`live-${round}`, `live-${round}-m`, 'notify').send(Date.now() + 1e7 + round).events,
    );
    await page.waitForTimeout(100 + Math.random() * 60);
  }
  console.log(
    `the page took ${(await cpuSeconds()).toFixed(2)} s of the processor for ${rounds + busy} updates`,
  );
  const seen = (await page.evaluate('seen')) as Record<string, number>;
  report(
    'an event to the screen',
    Object.entries(sent).map(([id, at]) => (seen[id] ?? Number.POSITIVE_INFINITY) - at),
  );

  const filters = ['Failed', 'Succeeded', 'Open', 'All'];
  report(
    'a click on a filter',
    await clickTimes(page, async () => {
      for (let round = 0; round < 24; round++) {
        await page.getByRole('button', { name: filters[round % 4] as string }).click();
        await page.waitForTimeout(60);
      }
    }),
  );
  report(
    'a click on a chain, and back',
    await clickTimes(page, async () => {
      for (let round = 0; round < 12; round++) {
        await page
          .getByRole('row')
          .nth(3 + round)
          .click();
        await page.getByRole('treegrid').waitFor();
        await page.getByRole('link', { name: 'Chains' }).first().click();
        await page.getByRole('grid').waitFor();
      }
    }),
  );
  report(
    'a key of the search',
    (await page.evaluate(`(async () => {
      const input = document.querySelector('#search');
      const times = [];
      for (const text of ['r', 're', 'res', 'resi', 'resiz', 'resize', 'image 503', 'chain-19', 'chain-199', '']) {
        const start = performance.now();
        input.value = text;
        input.dispatchEvent(new Event('input', { bubbles: true }));
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        times.push(performance.now() - start);
      }
      return times;
    })()`)) as number[],
  );
  clearInterval(timer);
} finally {
  await browser.close();
  await server.close();
}
