export type { ObjectAddress, ObjectStore, ReadOptions } from './ObjectStore.ts';
export { formatPointer, type PointerParts, parsePointer } from './pointer.ts';
export { StoredData } from './StoredData.ts';
export { StoredDataError, type StoredDataErrorCode } from './StoredDataError.ts';
