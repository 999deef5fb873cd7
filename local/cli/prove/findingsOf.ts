import { distinct, type Effect, identityOf } from './Effect.ts';
import type { Ended } from './workerThread.ts';

/** A difference that an experiment made to one undisturbed delivery. */
export interface Finding {
  /** Such as `two deliveries`, or `killed after PutObject a/b`. */
  readonly experiment: string;
  /** `twice`: an effect came again, and differs. `missing`: it never came. `fails`: the task fails when it is repeated. */
  readonly problem: 'twice' | 'missing' | 'fails';
  readonly effect?: Effect;
  readonly error?: string;
}

/** The effects of the first delivery, which may be disturbed, and of the last one, which is not. */
export interface Seen {
  readonly first: readonly Effect[];
  readonly second: readonly Effect[];
  readonly last: Ended | undefined;
}

/** The effects of two deliveries in two worlds. They differ in what is random or depends on the time. */
export interface Undisturbed {
  readonly alone: readonly Effect[];
  readonly other: readonly Effect[];
}

const kinds = ['object', 'deletion', 'message', 'file'] as const;

/**
 * Compares the world after an experiment with that after one delivery. Equal effects count once: an object that is written
 * again with the same content, or a message that is sent again. So more distinct effects than those of one delivery are
 * effects that came twice.
 */
export function findingsOf(
  experiment: string,
  { first, second, last }: Seen,
  undisturbed: Undisturbed,
): Finding[] {
  const { alone } = undisturbed;
  const findings: Finding[] = [];
  if (last?.outcome === 'failed') findings.push({ experiment, problem: 'fails', error: last.error });
  for (const kind of kinds) {
    const of = (effects: readonly Effect[]) => distinct(effects.filter((effect) => effect.kind === kind));
    // A file is there or not, and the first delivery may have left a part of it.
    const all = kind === 'file' ? of(second) : of([...first, ...second]);
    const surplus = all.length - of(alone).length;
    const twice =
      surplus > 0 ? newestOf(all, of(alone), of(first)).slice(0, surplus) : changedFiles(all, undisturbed);
    findings.push(...twice.map((effect) => ({ experiment, problem: 'twice', effect }) as const));
    if (last?.outcome !== 'succeeded') continue;
    const missing = surplus < 0 ? without(of(alone), all).slice(0, -surplus) : [];
    findings.push(...missing.map((effect) => ({ experiment, problem: 'missing', effect }) as const));
  }
  return findings;
}

/** The effects that one delivery does not have, those of the last delivery first. */
function newestOf(all: readonly Effect[], alone: readonly Effect[], first: readonly Effect[]): Effect[] {
  const fresh = without(all, alone);
  const late = without(fresh, first);
  return [...late, ...without(fresh, late), ...all];
}

/** The files whose content is the same in each undisturbed delivery, and another one now. */
function changedFiles(files: readonly Effect[], { alone, other }: Undisturbed): Effect[] {
  const known = new Set(alone.map(identityOf));
  const stable = new Set(other.filter((effect) => known.has(identityOf(effect))).map(({ target }) => target));
  return files.filter(
    (file) => file.kind === 'file' && stable.has(file.target) && !known.has(identityOf(file)),
  );
}

function without(effects: readonly Effect[], others: readonly Effect[]): Effect[] {
  const identities = new Set(others.map(identityOf));
  return effects.filter((effect) => !identities.has(identityOf(effect)));
}

/** The receivers of messages that were sent again with the same content. */
export function repeatedIn({ first, second }: Seen): string[] {
  const sent = new Set(first.map(identityOf));
  return second
    .filter((effect) => effect.kind === 'message' && sent.has(identityOf(effect)))
    .map(({ target }) => target);
}
