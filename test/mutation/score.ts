import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The changes that no test can notice, by file: the first changed line, the line after the change, and the reason. One file per
 * folder in equivalent/. The list of changes that were not noticed is printed in this form.
 */
export type Equivalents = Readonly<Record<string, readonly Equivalent[]>>;
export type Equivalent = readonly [line: string, changed: string, reason: string];

/** The part of the report that is read: https://github.com/stryker-mutator/mutation-testing-elements. */
interface Report {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>;
  readonly testFiles: Readonly<Record<string, { readonly tests: readonly unknown[] }>>;
}

interface Mutant {
  readonly mutatorName: string;
  readonly replacement: string;
  readonly status: string;
  /** Whether the change is in code that runs at import. */
  readonly static?: boolean;
  readonly testsCompleted?: number;
  readonly location: Readonly<Record<'start' | 'end', { readonly line: number; readonly column: number }>>;
}

/** The outcome for one row. */
export interface Score {
  readonly files: readonly FileScore[];
  /** Entries of equivalent/ that match no change any more, or one that a test notices. */
  readonly stale: readonly string[];
}

interface FileScore {
  readonly file: string;
  readonly noticed: number;
  readonly equivalent: number;
  readonly survivors: readonly { readonly line: number; readonly text: string }[];
}

const NOTICED = ['Killed', 'Timeout'];
/** A change that StrykerJS could not try counts too. */
const MISSED = ['Survived', 'NoCoverage', 'RuntimeError'];

/**
 * StrykerJS counts a suite that cannot be imported as one without tests, and so a change that breaks imports as survived. A change
 * in code that runs at import is tried with all tests; those that are left out are not counted.
 */
function breaksImports({ status, static: isStatic, testsCompleted = 0 }: Mutant, allTests: number): boolean {
  return status === 'Survived' && isStatic === true && testsCompleted < allTests / 2;
}

/** Reads a report and takes off the equivalent changes. `whole`: all changes were tried, so that each entry must match one. */
export async function readScore(root: string, report: string, whole: boolean): Promise<Score> {
  const { files, testFiles } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  const equivalents = await readEquivalents(root);
  const stale: string[] = [];
  const allTests = Object.values(testFiles).flatMap(({ tests }) => tests).length;
  const scores = Object.entries(files).map(([file, { source, mutants }]) => {
    const lines = source.split('\n');
    const open = new Set(equivalents[file] ?? []);
    const used = new Set<Equivalent>();
    let noticed = 0;
    const survivors: FileScore['survivors'][number][] = [];
    for (const mutant of mutants) {
      const [line, changed] = linesOf(lines, mutant);
      const entry = [...open].find((each) => each[0] === line && each[1] === changed);
      // One that changes nothing runs all tests, which may take too long on a busy machine.
      if (entry && mutant.status !== 'Killed') {
        used.add(entry);
      } else if (NOTICED.includes(mutant.status) || breaksImports(mutant, allTests)) {
        noticed++;
      } else if (MISSED.includes(mutant.status)) {
        survivors.push({ line: mutant.location.start.line, text: `${JSON.stringify([line, changed, ''])},` });
      }
    }
    if (whole)
      for (const entry of open) if (!used.has(entry)) stale.push(`${file}: ${entry[0]} → ${entry[1]}`);
    return { file, noticed, equivalent: used.size, survivors };
  });
  return { files: scores, stale };
}

async function readEquivalents(root: string): Promise<Equivalents> {
  const modules = globSync('test/mutation/equivalent/*.ts', { cwd: root }).sort();
  const lists = modules.map(async (path) => (await import(join(root, path))) as { equivalent: Equivalents });
  return Object.assign({}, ...(await Promise.all(lists)).map(({ equivalent }) => equivalent));
}

/** The first line of a change, before and after it, without indentation. */
function linesOf(
  lines: readonly string[],
  { location: { start, end }, replacement }: Mutant,
): [string, string] {
  const line = lines[start.line - 1] ?? '';
  const rest = (lines[end.line - 1] ?? '').slice(end.column - 1);
  const changed = line.slice(0, start.column - 1) + replacement + rest;
  return [
    line.trim(),
    changed
      .split('\n')
      .map((part) => part.trim())
      .join(' ')
      .slice(0, 160)
      .trim(),
  ];
}

/** Prints what was not noticed, by file, and the share that was. */
export function printScore(scores: readonly Score[]): void {
  const files = scores.flatMap((score) => score.files);
  for (const { file, survivors } of files) {
    if (survivors.length > 0) console.log(`\n${file}`);
    for (const { line, text } of survivors) console.log(`  ${line}: ${text}`);
  }
  console.log('\n  score  noticed  missed  equivalent');
  for (const score of [...files, ...foldersOf(files)]) {
    const { file, noticed, equivalent, survivors } = score;
    const all = noticed + survivors.length;
    const share = all === 0 ? '-' : ((100 * noticed) / all).toFixed(1);
    const cells = [share, noticed, survivors.length, equivalent].map(String);
    console.log(`${cells.map((cell, at) => cell.padStart([7, 9, 8, 12][at] ?? 0)).join('')}  ${file}`);
  }
  for (const entry of scores.flatMap(({ stale }) => stale)) {
    console.log(`equivalent/ lists a change that is gone or is noticed: ${entry}`);
  }
}

function foldersOf(files: readonly FileScore[]): FileScore[] {
  const names = [...new Set(files.map(({ file }) => file.slice(0, file.lastIndexOf('/'))))];
  const sum = (file: string, parts: readonly FileScore[]): FileScore => ({
    file,
    noticed: parts.reduce((total, { noticed }) => total + noticed, 0),
    equivalent: parts.reduce((total, { equivalent }) => total + equivalent, 0),
    survivors: parts.flatMap(({ survivors }) => survivors),
  });
  return [
    ...names.map((name) =>
      sum(
        `${name}/`,
        files.filter(({ file }) => file.slice(0, file.lastIndexOf('/')) === name),
      ),
    ),
    sum('all', files),
  ];
}
