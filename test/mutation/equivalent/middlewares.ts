import type { Equivalents } from '../score.ts';

export const equivalent: Equivalents = {
  'middlewares/chainEvents.ts': [
    [
      "const writers = writersOf('chainEvents', 'to', to);",
      'const writers = writersOf(\'chainEvents\', "", to);',
      'the option is checked already',
    ],
    [
      "const writers = writersOf('chainEvents', 'to', to);",
      'const writers = writersOf("", \'to\', to);',
      'the option is checked already',
    ],
    [
      "const messageId = context?.awsRequestId ?? '';",
      "const messageId = context.awsRequestId ?? '';",
      'Middy always gives a context',
    ],
  ],
  'middlewares/preloadClients.ts': [
    [
      "const command = new sdk.PutObjectCommand({ Bucket: 'preload', Key: 'preload', Body: 'x' });",
      "const command = new sdk.PutObjectCommand({ Bucket: 'preload', Key: \"\", Body: 'x' });",
      'the request never leaves the process',
    ],
    [
      "const command = new sdk.PublishCommand({ TopicArn: 'arn:aws:sns:us-east-1:0:preload', Message: 'x' });",
      'const command = new sdk.PublishCommand({});',
      'the request never leaves the process',
    ],
    [
      "const command = new sdk.PublishCommand({ TopicArn: 'arn:aws:sns:us-east-1:0:preload', Message: 'x' });",
      'const command = new sdk.PublishCommand({ TopicArn: "", Message: \'x\' });',
      'the request never leaves the process',
    ],
    [
      "const command = new sdk.PublishCommand({ TopicArn: 'arn:aws:sns:us-east-1:0:preload', Message: 'x' });",
      'const command = new sdk.PublishCommand({ TopicArn: \'arn:aws:sns:us-east-1:0:preload\', Message: "" });',
      'the request never leaves the process',
    ],
  ],
  'middlewares/taskMetrics.ts': [
    [
      'if (taskName !== undefined && names.has(taskName)) return taskName;',
      'if (true && names.has(taskName)) return taskName;',
      'undefined is not among the names',
    ],
    [
      "if (taskName === undefined || isUnknown || !isTopicName(taskName)) return 'unknown';",
      "if (false || isUnknown || !isTopicName(taskName)) return 'unknown';",
      'the message of a task without a name is unknown by the code of its error',
    ],
  ],
  'middlewares/topicsFromSsm.ts': [
    [
      "return topicArn.test(Parameter?.Value ?? '') ? Parameter?.Value : undefined;",
      "return topicArn.test(Parameter?.Value ?? '') ? Parameter.Value : undefined;",
      'there is a parameter if its value is an ARN',
    ],
    [
      "return topicArn.test(Parameter?.Value ?? '') ? Parameter?.Value : undefined;",
      'return topicArn.test(Parameter?.Value ?? "Stryker was here!") ? Parameter?.Value : undefined;',
      'not an ARN either',
    ],
  ],
};
