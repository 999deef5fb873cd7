import { expect, test } from '@jest/globals';
import { type Output, showProgress } from '../../../../examples/market/output/showProgress.ts';

function capture(parts: Partial<Output> = {}): Output & { text: string } {
  return {
    text: '',
    write(text: string) {
      this.text += text;
    },
    ...parts,
  };
}

const half = [
  { task: 'load', done: 2, of: 2 },
  { task: 'analyse', done: 1, of: 2, note: '1 failing' },
];
const full = half.map(({ task }) => ({ task, done: 2, of: 2 }));

test('prints plain lines without a terminal, and no line twice', () => {
  const out = capture();
  const progress = showProgress(out);
  progress.end(half);
  progress.end(half);
  progress.end(full);
  expect(out.text).toBe('load 2 of 2, analyse 1 of 2 (1 failing)\nload 2 of 2, analyse 2 of 2\n');
});

test('redraws bars on a terminal', () => {
  const out = capture({ isTTY: true, columns: 60 });
  const progress = showProgress(out);
  progress.end(half);
  const first = out.text;
  expect(first.split('\n')).toHaveLength(3);
  expect(first).toMatch(/load {5}━+ {2}2 of 2\n/);
  expect(first).toMatch(/analyse {2}━+┄+ {2}1 of 2 {2}1 failing\n/);
  progress.end(full);
  expect(out.text.slice(first.length).startsWith('\x1b[2A\x1b[2Kload')).toBe(true);
});

test.each([20, 40, 80, 200, 0])('no bar is wider than a terminal of %i columns', (columns) => {
  const out = capture({ isTTY: true, columns });
  showProgress(out).end(half);
  expect(out.text).toContain('1 of 2');
  for (const line of out.text.split('\n'))
    expect(line.replace('\x1b[2K', '').length).toBeLessThan(columns || 80);
});

test('prints plain lines on a terminal with live: false', () => {
  const out = capture({ isTTY: true });
  showProgress(out, { live: false }).end(half);
  expect(out.text).not.toContain('\x1b');
});

test('limits the rate, but draws the last state', () => {
  const out = capture();
  const progress = showProgress(out);
  for (let done = 0; done < 100; done += 1) progress.show([{ task: 'load', done, of: 100 }]);
  progress.end([{ task: 'load', done: 100, of: 100 }]);
  expect(out.text.split('\n').length).toBeLessThan(50);
  expect(out.text.endsWith('load 100 of 100\n')).toBe(true);
});
