import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type AjsonError, createAjson } from '../../../core/ajson/index.ts';
import { anyValue, Box } from './anyValue.ts';
import { jsonText } from './jsonText.ts';
import { portrait } from './portrait.ts';

const ajson = createAjson({ classes: [{ class: Box, module: 'test.boxes', name: 'Box' }] });

test('loads(dumps(value)) equals the value', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      expect(portrait(ajson.loads(ajson.dumps(value)))).toBe(portrait(value));
    }),
    { numRuns: 1000 },
  );
});

test('dumps(loads(text)) equals the text', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const text = ajson.dumps(value);
      expect(ajson.dumps(ajson.loads(text))).toBe(text);
      expect(ajson.dumps(ajson.raw(text), { tags: 'keep' })).toBe(text);
    }),
    { numRuns: 500 },
  );
});

test('rebuildEvent(raw(text)) equals loads(text), and does not change the event', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const text = ajson.dumps(value);
      const event = ajson.raw(text);
      expect(portrait(ajson.rebuildEvent(event))).toBe(portrait(value));
      expect(ajson.dumps(event, { tags: 'keep' })).toBe(text);
    }),
    { numRuns: 500 },
  );
});

test('dumps does not change its argument', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const before = portrait(value);
      ajson.dumps(value);
      expect(portrait(value)).toBe(before);
    }),
    { numRuns: 300 },
  );
});

test('dumps writes JSON that JSON.parse reads', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      expect(() => JSON.parse(ajson.dumps(value))).not.toThrow();
    }),
    { numRuns: 300 },
  );
});

test('plain JSON is written and read like JSON.stringify and JSON.parse do', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      fc.pre(!/-0|e\+|\d{16}|_alg_class/.test(text));
      expect(ajson.dumps(JSON.parse(text))).toBe(text);
      expect(ajson.loads(text)).toStrictEqual(JSON.parse(text));
    }),
    { numRuns: 500 },
  );
});

test('dumps and loads agree on the depth limit', () => {
  fc.assert(
    fc.property(anyValue, fc.integer({ min: 1, max: 6 }), (value, maxDepth) => {
      const limited = createAjson({ classes: [{ class: Box, module: 'test.boxes', name: 'Box' }], maxDepth });
      const outcome = (work: () => unknown) => {
        try {
          work();
          return 'done';
        } catch (error) {
          return (error as AjsonError).kind;
        }
      };
      const text = ajson.dumps(value);
      expect(outcome(() => limited.dumps(value))).toBe(outcome(() => limited.loads(text)));
    }),
    { numRuns: 2000 },
  );
});

test('numbers keep their digits and positions, however they are spelled', () => {
  fc.assert(
    fc.property(jsonText, (text) => {
      // NaN is not JSON, so this text takes the slow path.
      const [, exact] = ajson.raw<unknown[]>(`[NaN,${text}]`);
      expect(portrait(ajson.raw(text))).toBe(portrait(exact));
    }),
    { numRuns: 5000 },
  );
});

test('a mutated text gives a value or an AjsonError', () => {
  fc.assert(
    fc.property(anyValue, fc.nat(), fc.nat(6), fc.string(), (value, at, length, put) => {
      const text = ajson.dumps(value);
      const start = at % (text.length + 1);
      const changed = text.slice(0, start) + put + text.slice(start + length);
      try {
        ajson.loads(changed);
      } catch (error) {
        expect(error).toMatchObject({ path: expect.stringMatching(/^\$/), kind: expect.any(String) });
      }
    }),
    { numRuns: 2000 },
  );
});
