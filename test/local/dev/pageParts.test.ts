import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { ajson, Decimal, Tuple } from 'algernon-middy/core';
import fc from 'fast-check';
import type { ChainState } from '../../../core/chains/ChainState.ts';
import { formatDuration, indentJson } from '../../../local/dev/page/format.ts';
import { graphOf } from '../../../local/dev/page/graphOf.ts';
import { chainHash, chainsHash, routeOf } from '../../../local/dev/page/route.ts';
import { fieldJson, schemaFields } from '../../../local/dev/page/schemaFields.ts';
import { segmentsOf, spanOf, ticksOf } from '../../../local/dev/page/segmentsOf.ts';
import { createStore, type Store } from '../../../local/dev/page/store.ts';
import { tagOf } from '../../../local/dev/page/tagOf.ts';
import { waterfallRows } from '../../../local/dev/page/waterfallRows.ts';
import type { StreamEntry } from '../../../local/dev/protocol.ts';
import { albumScript, runEntries, taskEvents } from './pageScript.ts';

const now = 1_790_000_009_000;

let scheduled: (() => void)[] = [];

/** Adds entries, and waits until the store has computed all states. */
async function add(store: Store, entries: readonly StreamEntry[]): Promise<void> {
  store.add(entries);
  for (let work = scheduled.pop(); work; work = scheduled.pop()) {
    work();
    await setImmediate();
  }
}

async function storeOf(entries: readonly StreamEntry[]): Promise<Store> {
  scheduled = [];
  const store = createStore((work) => void scheduled.push(work));
  await add(store, entries);
  return store;
}

function stateOf(store: Store, chainId: string): ChainState {
  const chain = store.chain(chainId);
  if (!chain) throw new Error(`no chain ${chainId}`);
  return chain.state;
}

describe('the store', () => {
  test('has the newest chain first, with its status and its errors', async () => {
    const { chains } = await storeOf(albumScript(now).entries);
    expect(chains.map(({ chainId, status, errors }) => [chainId, status, errors])).toEqual([
      ['chain-waiting', 'waiting', 0],
      ['chain-running', 'running', 0],
      ['chain-retrying', 'retrying', 1],
      ['chain-album-7f3a', 'succeeded', 0],
      ['chain-failed', 'failed', 1],
    ]);
    expect(chains[4]?.text).toContain("cannot read properties of undefined (reading 'width')");
  });

  test('is empty again when another run begins, and keeps its chains when the stream begins again', async () => {
    const store = await storeOf(albumScript(now).entries);
    await add(store, runEntries);
    expect(store.chains).toHaveLength(5);
    await add(store, [{ kind: 'run', version: 1, startedAt: 5 }]);
    expect(store.chains).toEqual([]);
    expect(store.chain('chain-waiting')).toBeUndefined();
  });

  test('drops the oldest of too many chains', async () => {
    const entries = Array.from(
      { length: 5010 },
      (_, index) => taskEvents(`chain-${index}`, `m-${index}`, 'resize').send(now + index).events,
    );
    const store = await storeOf(entries.flat());
    expect(store.chains).toHaveLength(5000);
    expect(store.chain('chain-9')).toBeUndefined();
    expect(store.chain('chain-10')).toBeDefined();
  });
});

describe('the waterfall', () => {
  test('shows each part of the time of a task', async () => {
    const { tasks } = stateOf(await storeOf(albumScript(now).entries), 'chain-album-7f3a');
    const task = tasks.find(({ messageId }) => messageId === 'm-branch-1');
    const start = now - 9000;
    expect(
      segmentsOf(task as (typeof tasks)[0], now).map(({ kind, from, to }) => [
        kind,
        from - start,
        to - start,
      ]),
    ).toEqual([
      ['queue', 610, 720],
      ['load', 720, 724],
      ['failed', 724, 1094],
      ['backoff', 1100, 3100],
      ['queue', 3100, 3200],
      ['load', 3200, 3204],
      ['run', 3204, 4084],
      ['store', 4084, 4102],
    ]);
  });

  test('grows with time, and reaches to the next retry', async () => {
    const store = await storeOf(albumScript(now).entries);
    const partsOf = (chainId: string, at: number) => {
      const [task] = stateOf(store, chainId).tasks;
      const [start] = spanOf(stateOf(store, chainId), at);
      return segmentsOf(task as NonNullable<typeof task>, at).map(({ kind, from, to }) => [
        kind,
        from - start,
        to - start,
      ]);
    };
    expect(partsOf('chain-waiting', now)).toEqual([['queue', 0, 1000]]);
    expect(partsOf('chain-running', now + 500).at(-1)).toEqual(['run', 104, 2500]);
    expect(partsOf('chain-retrying', now).at(-1)).toEqual(['backoff', 2000, 32_000]);
    expect(partsOf('chain-retrying', now + 30_000).at(-1)).toEqual(['queue', 32_000, 35_000]);
    expect(spanOf(stateOf(store, 'chain-retrying'), now)).toEqual([now - 5000, now + 27_000]);
  });

  test('has branches below their group, and folds them', async () => {
    const state = stateOf(await storeOf(albumScript(now).entries), 'chain-album-7f3a');
    const shown = (toggled: string[]) =>
      waterfallRows(state, new Set(toggled)).map(({ key, level }) => `${level} ${key}`);
    expect(shown([])).toEqual([
      '1 m-list',
      '2 group g-album',
      ...['3 m-branch-0', '3 m-branch-1', '3 m-branch-2', '3 m-branch-3'],
      '2 m-join',
      '3 m-describe',
    ]);
    expect(shown(['g-album'])).toEqual(['1 m-list', '2 group g-album', '2 m-join', '3 m-describe']);
  });

  test('has round ticks within its span, and not too many', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 1e12, noNaN: true }),
        fc.integer({ min: 2, max: 10 }),
        (span, most) => {
          const ticks = ticksOf(span, most);
          expect(ticks[0]).toBe(0);
          expect(ticks.length).toBeLessThanOrEqual(most + 1);
          for (const tick of ticks) expect(tick).toBeLessThanOrEqual(span);
        },
      ),
    );
  });
});

describe('values', () => {
  const shown = (value: unknown) => tagOf(ajson.raw(ajson.dumps(value)));

  test('tags are shown as what they are', () => {
    expect(shown(new Date('2026-01-02T03:04:05.678Z'))).toEqual({
      kind: 'date',
      label: 'datetime',
      text: '2026-01-02T03:04:05.678Z',
    });
    expect(tagOf({ _alg_class: 'datetime', value: { tz: 'US/Pacific', timestamp: -0.000001 } }).text).toBe(
      '1969-12-31T23:59:59.999999Z (US/Pacific)',
    );
    expect(shown(new Decimal('1.10'))).toEqual({ kind: 'number', label: 'decimal', text: '1.10' });
    expect(shown(new Set([1]))).toEqual({ kind: 'list', label: 'set', members: [[undefined, 1]] });
    expect(shown(new Tuple(1, 2))).toMatchObject({ label: 'tuple' });
    expect(shown(new Map([['a', 1]]))).toEqual({ kind: 'object', label: 'Map', members: [['a', 1]] });
    expect(shown(new URL('http://a.b/'))).toEqual({ kind: 'text', label: 'URL', text: 'http://a.b/' });
    expect(shown(12345678901234567890n)).toEqual({ kind: 'number', text: '12345678901234567890' });
    expect(tagOf({ _alg_class: 'User', _alg_module: 'shop', value: { _name: 'Ada' } })).toEqual({
      kind: 'class',
      label: 'User',
      module: 'shop',
      members: [['_name', 'Ada']],
    });
    expect(tagOf({ _alg_class: 'StoredData', value: { pointer: 'b#c/d!1.json' } })).toMatchObject({
      kind: 'pointer',
      pointer: 'b#c/d!1.json',
    });
  });

  test('a malformed tag is an object', () => {
    for (const tag of [
      { _alg_class: 'set' },
      { _alg_class: 3, value: [] },
      { _alg_class: 'datetime', value: { timestamp: 1e300 } },
      { _alg_class: 'decimal', value: 1 },
      { _alg_class: 'set', value: 'x' },
    ]) {
      const { kind, members } = tagOf(tag);
      expect(kind === 'object' || kind === 'class').toBe(true);
      expect(members?.length).toBeGreaterThan(0);
    }
  });

  test('any value is shown', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom('set', 'datetime', 'Map', 'StoredData', 'x'),
        (value, name) => {
          expect(tagOf(value).kind).toBeDefined();
          expect(tagOf({ _alg_class: name, value }).kind).toBeDefined();
        },
      ),
    );
  });

  test('indented JSON has the same tokens', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(indentJson(JSON.stringify(value)))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(indentJson('{"a":[12345678901234567890,NaN,{}],"b":"{\\"x\\":1, }"}')).toBe(
      '{\n  "a": [\n    12345678901234567890,\n    NaN,\n    {}\n  ],\n  "b": "{\\"x\\":1, }"\n}',
    );
  });

  test('durations', () => {
    expect([0, 999, 1234, 59_960, 61_000, 3_725_000].map(formatDuration)).toEqual([
      ...['0 ms', '999 ms', '1.23 s', '60.0 s', '1 m 01 s', '1 h 02 m'],
    ]);
  });
});

describe('routes', () => {
  test('each text comes back from its hash', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(routeOf(chainHash(a, b))).toEqual({ view: 'chain', chainId: a, messageId: b });
        expect(routeOf(chainsHash(a, b))).toEqual({ view: 'chains', search: a, state: b });
      }),
    );
    expect(routeOf('#/chains/%')).toEqual({ view: 'chain', chainId: '%', messageId: undefined });
    expect(routeOf('#/nothing')).toEqual({ view: 'chains', search: '', state: '' });
  });
});

describe('the form', () => {
  const schema = {
    type: 'object',
    properties: {
      name: { type: 'string' },
      n: { type: 'integer' },
      list: { type: 'array' },
      c: { const: 'x' },
    },
    required: ['name', 'n'],
  };

  test('has a field for each property', () => {
    expect(schemaFields(schema)?.map(({ name, kind, isRequired }) => [name, kind, isRequired])).toEqual([
      ['name', 'text', true],
      ['n', 'integer', true],
      ['list', 'json', false],
      ['c', 'choice', false],
    ]);
    for (const other of [undefined, true, { type: 'string' }, { type: 'object' }, { anyOf: [] }]) {
      expect(schemaFields(other)).toBeUndefined();
    }
  });

  test('makes JSON of what was typed', () => {
    const [name, n, list] = schemaFields(schema) ?? [];
    const jsonOf = (field: typeof n, text: string) => fieldJson(field as NonNullable<typeof n>, text);
    expect(jsonOf(name, '')).toBe('""');
    expect(jsonOf(n, ' 007 ')).toBe('7');
    expect(jsonOf(n, '-12345678901234567890')).toBe('-12345678901234567890');
    expect(jsonOf(list, '')).toBeUndefined();
    expect(() => jsonOf(n, '')).toThrow('n is required.');
    expect(() => jsonOf(n, '1.5')).toThrow('n must be an integer.');
  });
});

describe('the graph', () => {
  test('leads from branches to the task that joins them', async () => {
    const { chains } = await storeOf(albumScript(now).entries);
    const { nodes, edges } = graphOf(['notify'], chains);
    expect(edges.map(({ from, to, count }) => [from, to, count])).toEqual([
      ['listAlbum', 'resize', 4],
      ['resize', 'collect', 1],
      ['collect', 'describe', 1],
    ]);
    expect(Object.fromEntries(nodes.map(({ taskName, column }) => [taskName, column]))).toEqual({
      notify: 0,
      listAlbum: 0,
      resize: 1,
      collect: 2,
      describe: 3,
    });
  });

  test('has room for cycles and for very many tasks', async () => {
    const messages = Array.from({ length: 40 }, (_, index) => index).flatMap((index) =>
      Array.from({ length: 40 }, (_, other) => other)
        .filter((other) => other !== index)
        .map((other) => [index, other] as const),
    );
    const entries = messages.flatMap(
      ([from, to], index) =>
        taskEvents(`c-${index}`, `m-${index}`, `t${from}`)
          .send(now)
          .receive(now)
          .publish(now, [{ messageId: `n-${index}`, taskName: `t${to}`, role: 'callback' }]).events,
    );
    const { nodes } = graphOf([], (await storeOf(entries)).chains);
    expect(nodes).toHaveLength(40);
  });
});
