// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are lines of the sources
import type { Equivalents } from '../score.ts';

export const equivalent: Equivalents = {
  'middlewares/logging/secrets.ts': [
    [
      "isInSecret && !/(?:^|[^A-Za-z])id$|Id$|ID$/.test(key) && !descriptions.has(wordsOf(key).at(-1) ?? '')",
      'isInSecret && !/(?:^|[^A-Za-z])id$|Id$|ID$/.test(key) && !descriptions.has(wordsOf(key).at(-1) ?? "Stryker was here!")',
      'a key without words has no description',
    ],
    [
      'if (cache.size >= maxCached) cache.clear();',
      'if (cache.size >= maxCached) ;',
      'the cache saves time only',
    ],
    [
      "/^keys?$/.test(words[index] ?? '') && keyPurposes.has(words[index - 1] ?? '') && words[index + 1] !== 'id'",
      "/^keys?$/.test(words[index] ?? \"Stryker was here!\") && keyPurposes.has(words[index - 1] ?? '') && words[index + 1] !== 'id'",
      'no word is in the lists',
    ],
    ['if (kind === undefined) {', 'if (true) {', 'the cache saves time only'],
    ['if (cache.size >= maxCached) cache.clear();', 'if (true) cache.clear();', 'the cache saves time only'],
    ['if (cache.size >= maxCached) cache.clear();', 'if (false) cache.clear();', 'the cache saves time only'],
    [
      'if (cache.size >= maxCached) cache.clear();',
      'if (cache.size > maxCached) cache.clear();',
      'the cache saves time only',
    ],
    [
      'if (cache.size >= maxCached) cache.clear();',
      'if (cache.size < maxCached) cache.clear();',
      'the cache saves time only',
    ],
    ['cache.set(key, kind);', ';', 'the cache saves time only'],
    [
      "const last = words.at(-1) ?? '';",
      'const last = words.at(-1) ?? "Stryker was here!";',
      'no word is in the lists',
    ],
    [
      "if (descriptions.has(last)) return 'plain';",
      'if (descriptions.has(last)) return "";',
      'each other kind is plain',
    ],
    [
      "return last === 'auth' ? 'auth' : 'plain';",
      "return last === 'auth' ? 'auth' : \"\";",
      'each other kind is plain',
    ],
    [
      "/^keys?$/.test(words[index] ?? '') && keyPurposes.has(words[index - 1] ?? '') && words[index + 1] !== 'id'",
      "/^keys?$/.test(words[index] ?? '') && keyPurposes.has(words[index - 1] ?? \"Stryker was here!\") && words[index + 1] !== 'id'",
      'no word is in the lists',
    ],
    ['.split(/[^a-z]+/)', '.split(/[^a-z]/)', 'empty words are filtered out'],
    [
      'if (!suspicious.test(text)) return text;',
      'if (false) return text;',
      'saves time only: the patterns below need such a character',
    ],
    [
      'value !== redacted && isSecret(key, value) ? `${before}${key}${sign}${redacted}` : match,',
      'true && isSecret(key, value) ? `${before}${key}${sign}${redacted}` : match,',
      'redacts the mark again',
    ],
    [
      '/^(?:pwd|pass|jwt|cvv|cvc|otp|cookies?|secrets?|tokens?|credentials?|mnemonic)$|password|passwd|passphrase|passcode|authorization|(?:token|secret|cookie)$|(?:api|access|secret|private|signing|encryption|account|master)key$|^secret(?:access|string)|receipthandle/;',
      '/^(?:pwd|pass|jwt|cvv|cvc|otp|cookies|secrets?|tokens?|credentials?|mnemonic)$|password|passwd|passphrase|passcode|authorization|(?:token|secret|cookie)$|(?:api',
      'the singular ends in token, secret or cookie',
    ],
    [
      '/^(?:pwd|pass|jwt|cvv|cvc|otp|cookies?|secrets?|tokens?|credentials?|mnemonic)$|password|passwd|passphrase|passcode|authorization|(?:token|secret|cookie)$|(?:api|access|secret|private|signing|encryption|account|master)key$|^secret(?:access|string)|receipthandle/;',
      '/^(?:pwd|pass|jwt|cvv|cvc|otp|cookies?|secrets|tokens?|credentials?|mnemonic)$|password|passwd|passphrase|passcode|authorization|(?:token|secret|cookie)$|(?:api',
      'the singular ends in token, secret or cookie',
    ],
    [
      '/^(?:pwd|pass|jwt|cvv|cvc|otp|cookies?|secrets?|tokens?|credentials?|mnemonic)$|password|passwd|passphrase|passcode|authorization|(?:token|secret|cookie)$|(?:api|access|secret|private|signing|encryption|account|master)key$|^secret(?:access|string)|receipthandle/;',
      '/^(?:pwd|pass|jwt|cvv|cvc|otp|cookies?|secrets?|tokens|credentials?|mnemonic)$|password|passwd|passphrase|passcode|authorization|(?:token|secret|cookie)$|(?:api',
      'the singular ends in token, secret or cookie',
    ],
    [
      'const suspicious = /[=:]|eyJ|Bearer/;',
      'const suspicious = /[^=:]|eyJ|Bearer/;',
      'saves time only: the patterns below need such a character',
    ],
  ],
  'middlewares/logging/errorText.ts': [
    [
      'if (stack.length <= maxHead) return stack;',
      'if (false) return stack;',
      'a short stack is within both limits',
    ],
    [
      'if (stack.length <= maxHead) return stack;',
      'if (stack.length < maxHead) return stack;',
      'a short stack is within both limits',
    ],
    [
      'if (end < 0) return cut(stack, maxFrames);',
      'if (end <= 0) return cut(stack, maxFrames);',
      'at 0 the message is empty',
    ],
  ],
  'middlewares/logging/loggedEvent.ts': [
    [
      'return parsed === value ? value : openJson(parsed, nesting - 1);',
      'return false ? value : openJson(parsed, nesting - 1);',
      'parses to itself again, until the levels are used up',
    ],
  ],
};
