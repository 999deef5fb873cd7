import { missingPeer } from '../middlewares/aws/missingPeer.ts';

/** Makes what catches a failed `import()` of an optional peer that only local/ needs. */
export function missingPackage(name: string): (cause: unknown) => never {
  return missingPeer(name, 'algernon-middy/local');
}
