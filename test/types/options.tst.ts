import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';
import {
  callbackPublisher,
  endChain,
  failurePolicy,
  idempotent,
  queued,
  routeTasks,
  sendTask,
  stepFunctionsTask,
  type Task,
  topicsFromSsm,
} from 'algernon-middy';
import { expect, test } from 'tstyche';

const task = { task_name: 'load' };

test('the clients of optional packages are accepted, and so are fakes', () => {
  const sqs = new SQSClient();
  expect(failurePolicy).type.toBeCallableWith({ sqs });
  expect(callbackPublisher).type.toBeCallableWith({ sqs });
  expect(sendTask).type.toBeCallableWith(task, { sqs, scheduler: new SchedulerClient() });
  expect(stepFunctionsTask).type.toBeCallableWith({ sfn: new SFNClient() });
  expect(topicsFromSsm).type.toBeCallableWith({ ssm: new SSMClient() });
  expect(failurePolicy).type.toBeCallableWith({ sqs: { send: async (command: object) => command } });
  expect(failurePolicy).type.not.toBeCallableWith({ sqs: {} });
});

test('options that may be missing may also be undefined where they are passed on', () => {
  expect(sendTask).type.toBeCallableWith(task);
  expect(sendTask).type.toBeCallableWith(task, { tasks: undefined });
});

test('unknown options do not compile', () => {
  expect(queued).type.not.toBeCallableWith(() => {}, { concurrent: 1 });
  expect(sendTask).type.not.toBeCallableWith(task, { topcs: {} });
  expect(failurePolicy).type.not.toBeCallableWith({ backof: [1] });
});

test('the key of idempotent gets the arguments of the task', () => {
  idempotent({
    key: ({ task_kwargs }: Task<{ order: string }>) => {
      expect(task_kwargs?.order).type.toBe<string | undefined>();
      return task_kwargs?.order;
    },
  });
  expect(idempotent).type.not.toBeCallableWith({ key: () => 7 });
});

test('a function may end its chain', () => {
  expect(routeTasks).type.toBeCallableWith({
    load: (kwargs: { rows: number }) => (kwargs.rows ? kwargs : endChain()),
  });
});
