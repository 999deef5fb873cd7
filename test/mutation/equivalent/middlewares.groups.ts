import type { Equivalents } from '../score.ts';

export const equivalent: Equivalents = {
  'middlewares/groups/awsGroups.ts': [
    [
      "const { id, then, gatherQueue = '', branchAttributes, messageGroup } = plan;",
      'const { id, then, gatherQueue = "Stryker was here!", branchAttributes, messageGroup } = plan;',
      'a plan with a deadline has a queue',
    ],
  ],
  'middlewares/groups/prepareGroup.ts': [
    [
      "const topicArn = queues === undefined ? await findTopic(gatherName) : '';",
      'const topicArn = queues === undefined ? await findTopic(gatherName) : "Stryker was here!";',
      'with queues, only its ending is read, and neither ends in .fifo',
    ],
  ],
};
