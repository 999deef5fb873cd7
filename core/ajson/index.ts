export { AjsonError, type AjsonErrorKind, UnknownClassError } from '../errors.ts';
export { AlgObject, type Fields } from './AlgObject.ts';
export { ajson } from './ajson.ts';
export {
  type Ajson,
  type AjsonOptions,
  type ClassToRegister,
  createAjson,
  type DumpsOptions,
  type LoadsOptions,
} from './createAjson.ts';
export { Datetime } from './Datetime.ts';
export { Decimal } from './Decimal.ts';
export { FrozenSet } from './FrozenSet.ts';
export { fromDynamoJson } from './fromDynamoJson.ts';
export { markRaw } from './markRaw.ts';
export { rebuildEvent } from './rebuildEvent.ts';
export type { AlgClass, ClassOptions, ForeignClassOptions } from './registerClass.ts';
export type { CustomKind, DatetimeKind, DecimalClass } from './settings.ts';
export { Tuple, tuple } from './Tuple.ts';
export { UnknownObject } from './UnknownObject.ts';
