export { AjsonError, type AjsonErrorDetails, type AjsonErrorKind, UnknownClassError } from './AjsonError.ts';
export { AlgObject, type Fields } from './AlgObject.ts';
export { ajson, rebuildEvent } from './ajson.ts';
export {
  type AjsonOptions,
  type ClassToRegister,
  type CustomKind,
  createAjson,
  type DatetimeKind,
  type DecimalClass,
} from './createAjson.ts';
export { Datetime } from './Datetime.ts';
export { Decimal } from './Decimal.ts';
export { FrozenSet } from './FrozenSet.ts';
export { type FromDynamoJsonOptions, fromDynamoJson } from './fromDynamoJson.ts';
export { markRaw } from './markRaw.ts';
export type { Ajson, DumpsOptions, LoadsOptions } from './openAjson.ts';
export type { AlgClass, ClassOptions, ForeignClassOptions } from './registry.ts';
export { Tuple, tuple } from './Tuple.ts';
export { type DynamoJson, type ToDynamoJsonOptions, toDynamoJson } from './toDynamoJson.ts';
export { UnknownObject } from './UnknownObject.ts';
