import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CallbackError, nextTask } from '../../core/tasks/nextTask.ts';

const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-'];
const name = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 12 });
const chain = fc.uniqueArray(name, { minLength: 2, maxLength: 20 });

describe('nextTask', () => {
  test.each([undefined, null, ''])('no callback (%j): no next task', (callback) => {
    expect(nextTask(callback, 'a')).toBeUndefined();
  });

  test('a callback without # is the next and last task', () =>
    fc.assert(
      fc.property(name, name, (callback, current) => {
        expect(nextTask(callback, current)).toEqual({ task_name: callback });
      }),
    ));

  test('a chain runs from an outside task to its first link, then link by link, and ends', () =>
    fc.assert(
      fc.property(chain, name, (links, outside) => {
        fc.pre(!links.includes(outside));
        const callback = links.join('#');
        expect(nextTask(callback, outside)).toEqual({ task_name: links[0], callback });
        links.slice(1).forEach((link, i) => {
          expect(nextTask(callback, links[i] as string)).toEqual({ task_name: link, callback });
        });
        expect(nextTask(callback, links.at(-1) as string)).toBeUndefined();
      }),
    ));

  test('refuses exactly the chains that would never end', () => {
    /** The wire's rule: the next link is the one after the first occurrence of the current task. */
    const ends = (links: string[], current: string) => {
      const seen = new Set<string>();
      for (let at = links.indexOf(current) + 1; at < links.length; ) {
        const link = links[at] as string;
        if (seen.has(link)) return false;
        seen.add(link);
        at = links.indexOf(link) + 1;
      }
      return true;
    };
    const link = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    fc.assert(
      fc.property(fc.array(link, { minLength: 2, maxLength: 7 }), link, (links, current) => {
        const callback = links.join('#');
        const follow = () => nextTask(callback, current);
        if (!ends(links, current)) expect(follow).toThrow(CallbackError);
        else expect(follow()?.task_name).toBe(links[links.indexOf(current) + 1]);
      }),
      { numRuns: 1000 },
    );
  });

  test('accepts exactly the names that SNS allows', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 5 }),
      fc.string({ unit: fc.constantFrom('a', '.', '-', ':', ' ', '\n', 'ä'), maxLength: 5 }),
      fc.integer({ min: 250, max: 260 }).map((length) => 'n'.repeat(length)),
      name.map((link) => `${link}.fifo`),
    );
    fc.assert(
      fc.property(text, (link) => {
        fc.pre(link !== '' && !link.includes('#'));
        const bare = link.endsWith('.fifo') ? link.slice(0, -5) : link;
        const allowed =
          bare !== '' && link.length <= 256 && [...bare].every((letter) => letters.includes(letter));
        for (const callback of [link, `first#${link}`]) {
          if (allowed) expect(nextTask(callback, 'else')).toBeDefined();
          else expect(() => nextTask(callback, 'else')).toThrow(CallbackError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test.each(['constructor', '__proto__', 'toString'])('treats a task named %s like any other', (link) => {
    expect(nextTask(`a#${link}#b`, 'a')?.task_name).toBe(link);
    expect(nextTask(`a#${link}#b`, link)?.task_name).toBe('b');
    expect(nextTask('a#b', link)?.task_name).toBe('a');
  });

  test('quotes the callback, truncated, and the link at fault', () => {
    expect(() => nextTask('arn:aws:sns:eu-west-1:1:x', 'a')).toThrow(
      'The callback "arn:aws:sns:eu-west-1:1:x" cannot be followed: "arn:aws:sns:eu-west-1:1:x" is not the name of a task.',
    );
    expect(() => nextTask('a#b#a', 'a')).toThrow('it returns to a, so it would never end');
    const long = () => nextTask(':'.repeat(100_000), 'a');
    expect(long).toThrow(expect.objectContaining({ path: '$.callback', retryable: false }));
    expect(long).toThrow(/^.{0,300}$/);
  });
});
