import type { Equivalents } from '../score.ts';

const anyConstant = 'any constant tells a message that is not a task from those that are';

export const equivalent: Equivalents = {
  'middlewares/idempotent.ts': [
    [
      "return ['key', identityOf(run).receiver, isTask(task) ? task.task_name : '', given];",
      'return [\'key\', identityOf(run).receiver, isTask(task) ? task.task_name : "Stryker was here!", given];',
      anyConstant,
    ],
    [
      "return ['message', receiver, isTask(content) ? content.task_name : '', messageId, part, direct];",
      'return [\'message\', receiver, isTask(content) ? content.task_name : "Stryker was here!", messageId, part, direct];',
      anyConstant,
    ],
  ],
};
