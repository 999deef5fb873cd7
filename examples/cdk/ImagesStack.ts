import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { TaskSchedules } from './TaskSchedules.ts';
import { TaskWorker } from './TaskWorker.ts';

export interface ImagesStackProps extends StackProps {
  /** The bundled worker. */
  readonly code: Code;
}

/** A worker with two tasks and all features, whose chains may end in the task `archive` of another worker. */
export class ImagesStack extends Stack {
  constructor(scope: Construct, id: string, { code, ...props }: ImagesStackProps) {
    super(scope, id, props);
    const schedules = new TaskSchedules(this, 'Schedules', { tasks: ['resize', 'describe'] });
    new TaskWorker(this, 'images', {
      tasks: ['resize', 'describe', 'gather'],
      nextTasks: ['archive'],
      uses: ['groups', 'events', 'idempotence', 'cancellation', 'failurePolicy', 'later'],
      schedules,
      code,
    });
  }
}
