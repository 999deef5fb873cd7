import { UnknownClassError } from '../errors.ts';
import type { Fields } from './AlgObject.ts';
import { formOf } from './formOf.ts';
import type { Settings } from './settings.ts';
import { fail, Trace, traceOf } from './Trace.ts';
import { UnknownObject } from './UnknownObject.ts';

/** The value of a tag, whose members are rebuilt already. */
export function readTag(settings: Settings, unknown: 'throw' | 'keep', tag: Fields): unknown {
  const name = tag['_alg_class'];
  if (typeof name !== 'string' || !Object.hasOwn(tag, 'value')) fail('tag', 'a tag has a name and a value');
  const { value } = tag;
  let kind = settings.shared.get(name);
  if (!kind) {
    const module = Object.hasOwn(tag, '_alg_module') ? tag['_alg_module'] : undefined;
    if (module !== undefined && typeof module !== 'string') fail('tag', '_alg_module must be a string');
    kind = settings.modules.get(module)?.get(name);
    if (!kind) {
      if (module === undefined || unknown === 'keep') return new UnknownObject(tag);
      throw new Trace((details) => new UnknownClassError(name, module, details));
    }
  }
  if (kind.holds && formOf(value) !== kind.holds) fail('tag', `the value of ${name} must be ${kind.holds}`);
  try {
    return kind.read(value as never);
  } catch (error) {
    throw traceOf(error, 'tag');
  }
}
