import { afterEach, describe, expect, jest, test } from '@jest/globals';
import {
  bucketFromEnvironment,
  bucketGuard,
  bucketToWrite,
  folderFromEnvironment,
} from '../../../middlewares/aws/environment.ts';
import { lazySdk } from '../../../middlewares/aws/lazySdk.ts';
import { missingPeer } from '../../../middlewares/aws/missingPeer.ts';
import { awsClient, bucketName, folderName } from '../../../middlewares/aws/optionChecks.ts';
import { queueOf } from '../../../middlewares/aws/queues.ts';
import { remember } from '../../../middlewares/aws/remember.ts';
import { neighbourArn, topicArn, topicFinder } from '../../../middlewares/aws/topics.ts';

afterEach(() => {
  jest.restoreAllMocks();
  delete process.env.ALGERNON_BUCKET_NAME;
  delete process.env.CACHE_FOLDER_NAME;
});

const worker = 'arn:aws:lambda:us-east-1:1:function:worker';

describe('topics and queues', () => {
  test.each([undefined, '', 'worker', 'arn:aws:lambda::1:worker', 'arn:aws:lambda:us-east-1::worker'])(
    'have no neighbour of %j',
    (arn) => {
      expect(neighbourArn('sns', 'next', arn)).toBeUndefined();
    },
  );

  test('a neighbour has the name of its task, if that can be the name of a topic', () => {
    expect(neighbourArn('sqs', 'next', worker)).toBe('arn:aws:sqs:us-east-1:1:next');
    expect(neighbourArn('sns', 'not a topic', worker)).toBeUndefined();
  });

  test.each<[unknown]>([[{ next: '' }], [{ next: 5 }], [() => undefined], [{ constructor: 'x' }]])(
    'an unknown topic is an error: %p',
    async (topics) => {
      await expect(topicArn('next', topics as never, worker)).rejects.toMatchObject({
        code: 'TOPIC_NOT_FOUND',
      });
      await expect(queueOf('next', topics as never, worker)).rejects.toMatchObject({
        code: 'QUEUE_NOT_FOUND',
      });
    },
  );

  test('each task is looked up once', async () => {
    const asked: string[] = [];
    const find = topicFinder((name) => `arn:${name}:${asked.push(name)}`, undefined);
    expect(await Promise.all([find('a'), find('a'), find('b')])).toEqual(['arn:a:1', 'arn:a:1', 'arn:b:2']);
    expect(await find('a')).toBe('arn:a:1');
  });

  test('a queue is an ARN or a URL', async () => {
    for (const queue of ['arn:aws:sqs:us-east-1:1:q', 'https://sqs/1/q', 'http://sqs/1/q']) {
      expect(await queueOf('next', { next: queue }, '')).toBe(queue);
    }
    for (const queue of ['q', 'xarn:q', 'xhttps://sqs/1/q', 'ftp://q']) {
      await expect(queueOf('next', { next: queue }, '')).rejects.toMatchObject({ code: 'QUEUE_NOT_FOUND' });
    }
    expect(await queueOf('next', undefined, 'arn:aws:sns:us-east-1:1:next')).toBe(
      'arn:aws:sqs:us-east-1:1:next',
    );
  });
});

describe('the environment', () => {
  test('has the bucket, which an option replaces', () => {
    expect(bucketFromEnvironment).toThrow(
      expect.objectContaining({ name: 'NotConfiguredError', code: 'NOT_CONFIGURED' }),
    );
    expect(() => bucketToWrite(undefined, 'storeData')).toThrow('ALGERNON_BUCKET_NAME');
    expect(bucketToWrite('own', 'storeData')).toBe('own');
    process.env.ALGERNON_BUCKET_NAME = 'cache';
    expect([bucketFromEnvironment(), bucketToWrite(undefined, 'x'), bucketToWrite('own', 'x')]).toEqual([
      'cache',
      'cache',
      'own',
    ]);
    process.env.ALGERNON_BUCKET_NAME = 'arn:aws:s3:us-east-1:1:accesspoint/a';
    expect(() => bucketToWrite(undefined, 'storeData')).toThrow(
      /^storeData: bucket must be the name of a bucket/,
    );
  });

  test('allows the bucket to be read, or the option instead, and other buckets', () => {
    process.env.ALGERNON_BUCKET_NAME = 'cache';
    const allowed = (bucket: string | undefined, buckets: string[]) =>
      ['cache', 'own', 'other', 'foreign'].filter(bucketGuard(bucket, buckets));
    expect(allowed(undefined, ['other'])).toEqual(['cache', 'other']);
    expect(allowed('own', [])).toEqual(['own']);
  });

  test('has the folder, by default "cache"', () => {
    expect(folderFromEnvironment()).toBe('cache');
    process.env.CACHE_FOLDER_NAME = 'own/folder';
    expect(folderFromEnvironment()).toBe('own/folder');
    process.env.CACHE_FOLDER_NAME = 'a#b';
    expect(folderFromEnvironment).toThrow(expect.objectContaining({ code: 'NOT_CONFIGURED' }));
    expect(folderFromEnvironment).toThrow('CACHE_FOLDER_NAME is "a#b", which is not the name of a folder');
  });
});

test('a client is recognised by its service, and a fake by its method', () => {
  const { test: accepts, expected } = awsClient('S3Client');
  const send = () => {};
  expect(expected).toContain('S3Client');
  expect([{ send }, { send, config: {} }, { send, config: { serviceId: 'S3' } }].every(accepts)).toBe(true);
  expect([null, undefined, {}, 5, { send, config: { serviceId: 'SNS' } }].some(accepts)).toBe(false);
});

test('names of buckets and folders', () => {
  expect(['a', 'a-b.c_9', 'alias-s3alias'].every(bucketName.test)).toBe(true);
  expect(['', 'a b', ' a', 'a ', 'arn:aws:s3:::a', 'a/b', 5].some(bucketName.test)).toBe(false);
  expect(['cache', 'a/b'].every(folderName.test)).toBe(true);
  expect(['a#b', 'a!b', 5, undefined].some(folderName.test)).toBe(false);
});

describe('a package that is missing', () => {
  const missing = (code: string, message = "Cannot find package 'fauxqs'") =>
    Object.assign(new Error(message), { code });
  const refuse = (cause: unknown) => () => missingPeer('fauxqs', 'local')(cause);

  test.each(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'])(
    'is an error that says how to install it: %s',
    (code) => {
      const cause = missing(code);
      expect(refuse(cause)).toThrow(
        expect.objectContaining({
          code: 'MISSING_PACKAGE',
          message: 'local needs fauxqs: npm install fauxqs',
          cause,
        }),
      );
    },
  );

  test.each<[string, unknown]>([
    ['another error', new Error("'fauxqs'")],
    ['another code', missing('EACCES')],
    ['another package', missing('MODULE_NOT_FOUND', "Cannot find package 'other'")],
    ['a thrown object', { code: 'MODULE_NOT_FOUND', message: "'fauxqs'" }],
  ])('does not hide %s', (_, cause) => {
    expect(refuse(cause)).toThrow(cause as Error);
  });
});

describe('an SDK that is loaded on first use', () => {
  test('is loaded once, and its default client is made once, when no client is given', async () => {
    let [loads, made] = [0, 0];
    const use = lazySdk(
      async () => ({ load: ++loads }),
      () => ({ made: ++made }),
    );
    const own = { send: async () => {} };
    expect(await use(own)).toEqual({ sdk: { load: 1 }, client: own });
    expect(made).toBe(0);
    const [{ client }, second] = await Promise.all([use(), use()]);
    expect(second.client).toBe(client);
    expect([loads, made]).toEqual([1, 1]);
  });

  test('is loaded again after a failure', async () => {
    let loads = 0;
    const use = lazySdk(
      async () => {
        loads += 1;
        if (loads === 1) throw new Error('no');
        return loads;
      },
      (sdk) => sdk,
    );
    await expect(use()).rejects.toThrow('no');
    expect(await use()).toEqual({ sdk: 2, client: 2 });
  });
});

describe('a look-up that is remembered', () => {
  /** Counts the look-ups of each name, and returns the count or the next outcome. */
  function counted(options: Parameters<typeof remember>[1], outcomes: unknown[] = []) {
    const now = jest.spyOn(Date, 'now').mockReturnValue(0);
    let calls = 0;
    const find = remember(async () => {
      calls += 1;
      const outcome = outcomes.length > 0 ? outcomes.shift() : calls;
      if (outcome instanceof Error) throw outcome;
      return outcome;
    }, options);
    return {
      at(seconds: number, name = 'a') {
        now.mockReturnValue(seconds * 1000);
        return find(name);
      },
    };
  }

  test('is cached for its time, and shared by concurrent callers', async () => {
    const { at } = counted({ maxAgeSeconds: 10 });
    expect(await Promise.all([at(0), at(0), at(0, 'b')])).toEqual([1, 1, 2]);
    expect([await at(9.999), await at(10), await at(19), await at(20)]).toEqual([1, 3, 3, 4]);
  });

  test.each([
    [undefined, 60, 30],
    [5, 60, 5],
    [undefined, 10, 10],
  ])(
    'without a result is cached for a shorter time (%p of %p s: %p s)',
    async (missSeconds, maxAgeSeconds, seconds) => {
      const { at } = counted(missSeconds === undefined ? { maxAgeSeconds } : { maxAgeSeconds, missSeconds }, [
        undefined,
        'found',
      ]);
      expect([await at(0), await at(seconds - 0.001), await at(seconds)]).toEqual([
        undefined,
        undefined,
        'found',
      ]);
    },
  );

  test('that failed is not cached', async () => {
    const { at } = counted({ maxAgeSeconds: 10 }, [new Error('no'), 'found']);
    await expect(at(0)).rejects.toThrow('no');
    expect(await at(0)).toBe('found');
  });

  test('is forgotten when 10,000 newer names have been looked up', async () => {
    const { at } = counted({ maxAgeSeconds: 1000 });
    for (let n = 0; n < 10_000; n += 1) await at(0, `n${n}`);
    expect([await at(0, 'n0'), await at(0, 'new'), await at(0, 'n1')]).toEqual([1, 10_001, 2]);
    expect(await at(0, 'n0')).toBe(10_002);
  });
});
