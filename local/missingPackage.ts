import { missingPeer } from '../middlewares/aws/missingPeer.ts';

/** Makes the `catch` of a failed `import()` of an optional peer that local/ needs. */
export function missingPackage(name: string): (cause: unknown) => never {
  return missingPeer(name, 'algernon-middy/local');
}
