import type { AlgObject } from './AlgObject.ts';
import { chosenKinds } from './chosenKinds.ts';
import { type Ajson, type Defaults, openAjson } from './openAjson.ts';
import { ownOptions } from './ownOptions.ts';
import type { AlgClass, ClassOptions, ForeignClassOptions } from './registerClass.ts';
import type { ChosenOptions } from './settings.ts';

/** A class to register as an ajson is made: what `register` takes, with the class beside. */
export type ClassToRegister =
  | (ClassOptions & { readonly class: AlgClass<AlgObject> })
  | (ForeignClassOptions<object> & { readonly class: { readonly prototype: object; readonly name: string } });

/** How an ajson reads and writes. */
export interface AjsonOptions extends Defaults, ChosenOptions {
  /** Classes to register at once. Default none. */
  readonly classes?: readonly ClassToRegister[];
}

/**
 * Makes an ajson with a registry of classes of its own.
 *
 * @example
 * const ajson = createAjson({ classes: [{ class: Order, module: 'shop.models' }], decimal: DecimalJs });
 * const order = ajson.loads<Order>(ajson.dumps(new Order('A-1')));
 */
export function createAjson(options: AjsonOptions = {}): Ajson {
  const own = ownOptions(options);
  const ajson = openAjson(own, chosenKinds(own, own.maxDigits));
  for (const { class: type, ...rest } of own.classes ?? []) ajson.register(type as AlgClass<object>, rest);
  return ajson;
}
