import { importPeer } from '../middlewares/aws/importPeer.ts';

/** Imports an optional peer that only local/ needs. */
export function importPackage<T>(name: string, load: () => Promise<T>): Promise<T> {
  return importPeer(name, 'algernon-middy/local', load);
}
