import type { Equivalents } from '../score.ts';

const once = 'an AbortSignal aborts once';
const otherReader = 'only slower: the other path reads the same text exactly';
const inPipeline = 'a run has begun only in a pipeline';
const MAY_BE_ENVELOPE = "if (typeof body === 'string' && envelopeStart.test(body)) {";
const ENVELOPE_START = 'const envelopeStart = /^\\s*\\{\\s*"Type"\\s*:\\s*"Notification"/;';
const MANY_KEYS = 'if (keys.length * 8 > keptSize) return { members: [], bytes: keys.length * 8 };';
const NOTHING = 'if (value === undefined || value === null) return false;';
const countedBelow = 'only slower: each key and value counts below, with more bytes';
const small = 'only slower: they count eight bytes';
const tooLarge = 'the members of what is large already are not looked at';

export const equivalent: Equivalents = {
  'core/batch/deadline.ts': [
    [
      "stop?.addEventListener('abort', close, { once: true });",
      "stop?.addEventListener('abort', close, {});",
      once,
    ],
    [
      "stop?.addEventListener('abort', close, { once: true });",
      "stop?.addEventListener('abort', close, { once: false });",
      once,
    ],
    [
      "else signal?.addEventListener('abort', () => resolve(), { once: true });",
      "else signal?.addEventListener('abort', () => resolve(), {});",
      once,
    ],
    [
      "else signal?.addEventListener('abort', () => resolve(), { once: true });",
      "else signal?.addEventListener('abort', () => resolve(), { once: false });",
      once,
    ],
    [
      "signal.addEventListener('abort', () => void rejectSoon(waiting, waiting), { once: true });",
      "signal.addEventListener('abort', () => void rejectSoon(waiting, waiting), { once: false });",
      once,
    ],
    [
      "signal.addEventListener('abort', () => void rejectSoon(waiting, waiting), { once: true });",
      "signal.addEventListener('abort', () => void rejectSoon(waiting, waiting), {});",
      once,
    ],
  ],
  'core/batch/isLarge.ts': [
    [
      MANY_KEYS,
      'if (keys.length * 8 > keptSize) return { members: ["Stryker was here"], bytes: keys.length * 8 };',
      tooLarge,
    ],
    [NOTHING, 'if (false) return false;', small],
    [NOTHING, 'if (value === undefined || false) return false;', small],
    [NOTHING, 'if (value === undefined && value === null) return false;', small],
    [NOTHING, 'if (false || value === null) return false;', small],
    [
      'while (waiting.length > 0 && size <= keptSize) {',
      'while (waiting.length > 0 && true) {',
      'only slower: the size never decreases',
    ],
    [
      'if (!isPlain && !(value instanceof Error)) return { members: [], bytes: Number.POSITIVE_INFINITY };',
      'if (!isPlain && !(value instanceof Error)) return { members: ["Stryker was here"], bytes: Number.POSITIVE_INFINITY };',
      tooLarge,
    ],
    [MANY_KEYS, 'if (false) return { members: [], bytes: keys.length * 8 };', countedBelow],
    [
      MANY_KEYS,
      'if (keys.length * 8 >= keptSize) return { members: [], bytes: keys.length * 8 };',
      countedBelow,
    ],
    [
      MANY_KEYS,
      'if (keys.length / 8 > keptSize) return { members: [], bytes: keys.length * 8 };',
      countedBelow,
    ],
  ],
  'core/batch/ledger.ts': [
    [
      'while (index < entry.parts.length && entry.parts[index]?.record !== record) index += 1;',
      'while (index < entry.parts.length && entry.parts[index].record !== record) index += 1;',
      'the index is below the length',
    ],
    [
      'if (this.#running === 0 && this.#waiting.length > 0)',
      'if (this.#running === 0 && true)',
      'only slower: nothing waits',
    ],
    [
      'if (this.#running === 0 && this.#waiting.length > 0)',
      'if (this.#running === 0 && this.#waiting.length >= 0)',
      'only slower: nothing waits',
    ],
    [
      'if (this.#done === this.#entries.size) return [];',
      'if (false) return [];',
      'only slower: the search finds none',
    ],
    [
      'for (let index = 0; index < found.length; index += 1) {',
      'for (let index = 0; index <= found.length; index += 1) {',
      'both lists have nothing there',
    ],
    [
      'if (isDone !== entry.isDone) this.#done += isDone ? 1 : -1;',
      'if (false) this.#done += isDone ? 1 : -1;',
      'only slower: the count never reaches the size, so that each entry is looked at',
    ],
    [
      'if (isDone !== entry.isDone) this.#done += isDone ? 1 : -1;',
      'if (isDone !== entry.isDone) this.#done -= isDone ? 1 : -1;',
      'only slower: the count never reaches the size, so that each entry is looked at',
    ],
  ],
  'core/batch/pipeline.ts': [
    [
      'const inner = stages.findIndex((other) => compareStages(stage, other) < 0);',
      'const inner = stages.findIndex((other) => compareStages(stage, other) <= 0);',
      'two stages of one stack never compare as equal',
    ],
    [
      'if (writable && enumerable && configurable && !(key in extended)) extended[key] = value;',
      'if (false) extended[key] = value;',
      'only slower: the property is defined as it is',
    ],
  ],
  'core/batch/runBatch.ts': [
    [
      "return record.attributes?.MessageGroupId ?? '';",
      'return record.attributes?.MessageGroupId ?? "Stryker was here!";',
      'any text that is not the name of a group will do',
    ],
    [
      "deadline.cutoff.addEventListener('abort', () => batch.finished.resolve(), { once: true });",
      "deadline.cutoff.addEventListener('abort', () => batch.finished.resolve(), {});",
      once,
    ],
    [
      "deadline.cutoff.addEventListener('abort', () => batch.finished.resolve(), { once: true });",
      "deadline.cutoff.addEventListener('abort', () => batch.finished.resolve(), { once: false });",
      once,
    ],
    [
      'index = isFree || deadline.isOver() ? undefined : startable.pop();',
      'index = true ? undefined : startable.pop();',
      'only slower: openLanes starts the next record',
    ],
    [
      'if (next !== undefined) startable.push(next);',
      'if (true) startable.push(next);',
      'only slower: undefined starts nothing',
    ],
  ],
  'core/batch/runStages.ts': [
    [
      'let hasReturned = false;',
      'let hasReturned = true;',
      'only slower: the caller handles the promise too',
    ],
    [
      'if (hasReturned) handled(inner);',
      'if (true) handled(inner);',
      'only slower: the caller handles the promise too',
    ],
  ],
  'core/batch/runTask.ts': [
    [
      'await runStages(pipeline?.stages ?? [], 0, run, innermost);',
      'await runStages(pipeline?.stages ?? ["Stryker was here"], 0, run, innermost);',
      'a text has no around, and is passed over',
    ],
    ['if (begun) pipeline?.ledger.end(begun);', 'if (begun) pipeline.ledger.end(begun);', inPipeline],
    ['if (begun) pipeline?.ledger.end(begun);', 'if (true) pipeline?.ledger.end(begun);', inPipeline],
    [
      'if (begun) pipeline?.ledger.end(begun, { reason: error });',
      'if (true) pipeline?.ledger.end(begun, { reason: error });',
      inPipeline,
    ],
    [
      'if (begun) pipeline?.ledger.end(begun, { reason: error });',
      'if (begun) pipeline.ledger.end(begun, { reason: error });',
      inPipeline,
    ],
  ],
  'core/batch/stage.ts': [
    [
      'const [[key, position] = []] = entries;',
      'const [[key, position] = ["Stryker was here"]] = entries;',
      'an order without entries is refused anyway',
    ],
    [
      'return ranks(a.order) - ranks(b.order) || (a.name < b.name ? -1 : 1);',
      'return ranks(a.order) - ranks(b.order) || (a.name <= b.name ? -1 : 1);',
      'no two stages of a stack have one name',
    ],
  ],
  'core/batch/unwrapTask.ts': [
    [MAY_BE_ENVELOPE, 'if (true) {', otherReader],
    [MAY_BE_ENVELOPE, 'if (false) {', otherReader],
    [MAY_BE_ENVELOPE, 'if (true && envelopeStart.test(body)) {', otherReader],
    [MAY_BE_ENVELOPE, "if (typeof body === 'string' || envelopeStart.test(body)) {", otherReader],
    [MAY_BE_ENVELOPE, "if (typeof body !== 'string' && envelopeStart.test(body)) {", otherReader],
    [MAY_BE_ENVELOPE, 'if (typeof body === "" && envelopeStart.test(body)) {', otherReader],
    [MAY_BE_ENVELOPE, "if (typeof body === 'string' && envelopeStart.test(body)) {}", otherReader],
    [
      "if (isEnvelope(envelope) && typeof envelope.Message === 'string') return envelope;",
      'if (false) return envelope;',
      otherReader,
    ],
    ['try {', 'try {} catch {', otherReader],
    [
      "if (isEnvelope(envelope) && typeof envelope.Message === 'string') return envelope;",
      'if (isEnvelope(envelope) && typeof envelope.Message === "") return envelope;',
      otherReader,
    ],
    [
      'if (!(error instanceof AjsonError)) throw error;',
      'if (false) throw error;',
      'ajson throws nothing else',
    ],
    [ENVELOPE_START, 'const envelopeStart = /\\s*\\{\\s*"Type"\\s*:\\s*"Notification"/;', otherReader],
    [ENVELOPE_START, 'const envelopeStart = /^\\s\\{\\s*"Type"\\s*:\\s*"Notification"/;', otherReader],
    [ENVELOPE_START, 'const envelopeStart = /^\\S*\\{\\s*"Type"\\s*:\\s*"Notification"/;', otherReader],
    [ENVELOPE_START, 'const envelopeStart = /^\\s*\\{\\s"Type"\\s*:\\s*"Notification"/;', otherReader],
    [ENVELOPE_START, 'const envelopeStart = /^\\s*\\{\\S*"Type"\\s*:\\s*"Notification"/;', otherReader],
    [ENVELOPE_START, 'const envelopeStart = /^\\s*\\{\\s*"Type"\\s:\\s*"Notification"/;', otherReader],
    [ENVELOPE_START, 'const envelopeStart = /^\\s*\\{\\s*"Type"\\S*:\\s*"Notification"/;', otherReader],
    [ENVELOPE_START, 'const envelopeStart = /^\\s*\\{\\s*"Type"\\s*:\\s"Notification"/;', otherReader],
    [ENVELOPE_START, 'const envelopeStart = /^\\s*\\{\\s*"Type"\\s*:\\S*"Notification"/;', otherReader],
  ],
  'core/batch/identity.ts': [
    [
      ": Date.parse(notification?.timestamp ?? '') || Number(SentTimestamp) || 0,",
      ': Date.parse(notification?.timestamp ?? "Stryker was here!") || Number(SentTimestamp) || 0,',
      'not a date either',
    ],
  ],
};
