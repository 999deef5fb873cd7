import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { TaskWorker } from './TaskWorker.ts';

export interface ImagesStackProps extends StackProps {
  /** The bundled worker. */
  readonly code: Code;
}

/** A worker with two tasks, whose chains may end in the task `archive` of another worker. */
export class ImagesStack extends Stack {
  constructor(scope: Construct, id: string, { code, ...props }: ImagesStackProps) {
    super(scope, id, props);
    new TaskWorker(this, 'images', { tasks: ['resize', 'describe'], nextTasks: ['archive'], code });
  }
}
