/** The test functions of vitest under the names of jest, so that the mutation tester can run the suites in one process. */
import { vi } from 'vitest';

export { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
export const jest: typeof vi & { setTimeout(): void } = Object.assign(vi, { setTimeout: (): void => {} });
